import { expect, test } from 'vitest';
import { CoarseTime } from './coarse-time.ts';
import { seededRandom } from './random.ts';
import { SteadyClock } from './steady-clock.ts';

const block = (ms: number) => {
  for (const end = performance.now() + ms; performance.now() < end; );
};
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('a blocked event loop is no stall, and takes next to no time', async () => {
  const clock = new SteadyClock();
  const time = new CoarseTime(clock, seededRandom(1), () => {});
  const start = time.enter();
  block(400);
  expect(clock.now() - start).toBeLessThan(100);
  await later(30);
  expect(time.stalls).toBe(0);
  time.stop();
});

test('where no timer is due, time passes as it does', async () => {
  const clock = new SteadyClock();
  const start = clock.now();
  clock.setTimer(() => undefined, 1).cancel();
  block(120);
  expect(clock.now() - start).toBeGreaterThanOrEqual(120);
});
