import { seededRandom } from '@healix/core/testing';
import { expect, test } from 'vitest';
import { Timeline } from './timeline.ts';
import { replaceGlobals } from './virtual-globals.ts';

const isoMs = () => Date.parse(new Date().toISOString());

async function within(ms: number, act: (timeline: Timeline, log: unknown[]) => void): Promise<unknown[]> {
  const timeline = new Timeline();
  const log: unknown[] = [];
  const restore = replaceGlobals(timeline, seededRandom(1));
  try {
    act(timeline, log);
    await timeline.run(timeline.now + ms);
  } finally {
    restore();
  }
  return log;
}

test('timers run in virtual time, and Date and performance tell it', async () => {
  const log = await within(1_000, (_, log) => {
    const started = [Date.now(), performance.now(), isoMs()] as const;
    const tell = (what: string) =>
      log.push([what, Date.now() - started[0], performance.now() - started[1], isoMs() - started[2]]);
    setTimeout(tell, 250, 'timeout');
    const interval = setInterval(() => {
      tell('interval');
      if (log.length === 3) clearInterval(interval);
    }, 100);
    clearTimeout(setTimeout(tell, 10, 'never'));
    setImmediate(tell, 'immediate');
  });
  expect(log).toEqual([
    ['immediate', 0, 0, 0],
    ['interval', 100, 100, 100],
    ['interval', 200, 200, 200],
    ['timeout', 250, 250, 250],
  ]);
});

test('Math.random follows the seed', async () => {
  const one = await within(1, (_, log) => log.push(Math.random(), Math.random()));
  const other = await within(1, (_, log) => log.push(Math.random(), Math.random()));
  expect(one).toEqual(other);
  expect(one[0]).not.toBe(one[1]);
});

test('all is put back, after an error too', async () => {
  const before = [
    setTimeout,
    clearTimeout,
    setInterval,
    setImmediate,
    Date,
    Math.random,
    Error.stackTraceLimit,
  ];
  const failing = within(1, (timeline) => {
    timeline.at(timeline.now, () => {
      throw new Error('no');
    });
  });
  await expect(failing).rejects.toThrow('no');
  const after = [
    setTimeout,
    clearTimeout,
    setInterval,
    setImmediate,
    Date,
    Math.random,
    Error.stackTraceLimit,
  ];
  expect(after).toEqual(before);
  expect(Math.abs(Date.now() - performance.timeOrigin - performance.now())).toBeLessThan(1_000);
});
