import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { LoopMeter } from '../time/loop-meter.ts';
import { LoopHealth } from './loop-health.ts';

function fakeMeter() {
  const calls: string[] = [];
  const meter: LoopMeter = {
    utilization: () => 0.25,
    delay: () => ({ meanMs: 1, p99Ms: 8, maxMs: 9 }),
    start: () => calls.push('start'),
    stop: () => calls.push('stop'),
  };
  return { meter, calls };
}

test('nothing is measured before the first look, nor after stop', () => {
  const { meter, calls } = fakeMeter();
  let made = 0;
  const health = new LoopHealth(() => {
    made++;
    return meter;
  });
  health.stop();
  expect([made, calls]).toEqual([0, []]);
  expect(health.look()).toBeUndefined();
  expect(health.look()).toEqual({ utilization: 0.25, meanMs: 1, p99Ms: 8, maxMs: 9 });
  expect(health.last).toEqual({ utilization: 0.25, meanMs: 1, p99Ms: 8, maxMs: 9 });
  health.stop();
  expect([health.last, made, calls]).toEqual([undefined, 1, ['start', 'stop']]);
  expect(health.look()).toBeUndefined();
  expect(calls).toEqual(['start', 'stop', 'start']);
  expect(made).toBe(1);
});

test('a real loop that is blocked shows it, and one that rests shows that', async () => {
  const health = new LoopHealth();
  health.look();
  await sleep(100);
  health.look();
  await sleep(100);
  const until = performance.now() + 300;
  while (performance.now() < until);
  await sleep(50);
  const blocked = health.look();
  expect(blocked?.maxMs).toBeGreaterThan(150);
  expect(blocked?.utilization).toBeGreaterThan(0.3);
  await sleep(400);
  const rested = health.look();
  expect(rested?.utilization).toBeLessThan(blocked?.utilization as number);
  health.stop();
});
