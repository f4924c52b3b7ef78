import { expect, test } from 'vitest';
import { VirtualClock } from './virtual-clock.ts';

test('runs timers in order of time, each at its own time', async () => {
  const clock = new VirtualClock();
  const start = clock.now();
  const log: [string, number][] = [];
  const note = (name: string) => () => log.push([name, clock.now() - start]);
  clock.setTimer(note('b'), 20);
  clock.setTimer(note('a'), 10);
  clock.setTimer(() => clock.setTimer(note('d'), 5), 20);
  clock.setTimer(note('c'), 20);
  clock.setTimer(note('never'), 31);
  await clock.advance(30);
  expect(log).toEqual([
    ['a', 10],
    ['b', 20],
    ['c', 20],
    ['d', 25],
  ]);
  expect(clock.now() - start).toBe(30);
  expect(clock.pending).toBe(1);
});

test('a timer that is taken back does not run, even by another one of the same moment', () => {
  const clock = new VirtualClock();
  let ran = false;
  clock.setTimer(() => victim.cancel(), 10);
  const victim = clock.setTimer(() => {
    ran = true;
  }, 10);
  clock.advanceSync(100);
  expect(ran).toBe(false);
});

test('chains of promises settle between timers', async () => {
  const clock = new VirtualClock();
  const start = clock.now();
  const seen: number[] = [];
  const chain = async () => {
    for (let i = 0; i < 50; i++) await null;
    await new Promise((resolve) => process.nextTick(resolve));
    seen.push(clock.now() - start);
  };
  clock.setTimer(chain, 10);
  clock.setTimer(chain, 20);
  await clock.advance(1_000);
  expect(seen).toEqual([10, 20]);
});

test('after a block, what is overdue runs late; polls come after it and before later timers', () => {
  const clock = new VirtualClock();
  const start = clock.now();
  const log: string[] = [];
  const note = (name: string) => () => log.push(`${name} ${clock.now() - start}`);
  clock.setTimer(() => {
    clock.afterPoll(note('poll'));
    clock.setTimer(note('next'), 20);
  }, 20);
  clock.setTimer(note('overdue'), 30);
  clock.block(500);
  expect(log).toEqual([]);
  clock.advanceSync(0);
  expect(log).toEqual(['overdue 500', 'poll 500']);
  clock.advanceSync(20);
  expect(log.at(-1)).toBe('next 520');
});

test('the wall moves along, and can be set', () => {
  const clock = new VirtualClock();
  const wall = clock.wall();
  clock.advanceSync(1_000);
  expect(clock.wall() - wall).toBe(1_000);
  clock.skewWall(-5_000);
  expect(clock.wall() - wall).toBe(-4_000);
  expect(new Date(wall).getUTCFullYear()).toBe(2026);
});
