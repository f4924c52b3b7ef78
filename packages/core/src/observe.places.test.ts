import { expect, test } from 'vitest';
import type { HealingOptions } from './healing.ts';
import type { Target } from './target.ts';
import { createTestHealing } from './testing.ts';

type Mode = 'heal' | 'observe';

function setup(mode: Mode, defaults: HealingOptions['defaults']) {
  const { runtime, clock } = createTestHealing({ mode, defaults });
  return { runtime, clock, target: runtime.target('upstream:a') };
}

/** One call every 10 ms, each of which takes as long as `tookMs` says; Infinity: for ever. */
async function load(mode: Mode, defaults: HealingOptions['defaults'], tookMs: (call: number) => number) {
  const { runtime, clock, target } = setup(mode, defaults);
  for (let call = 0; call < 2_000; call++) {
    const ms = tookMs(call);
    const work = () => new Promise<void>((end) => ms < Number.POSITIVE_INFINITY && clock.setTimer(end, ms));
    target.run(work).catch(() => {});
    await clock.advance(10);
  }
  await clock.advance(200);
  return { refused: refusedBy(target), incidents: runtime.incidents() };
}

function refusedBy(target: Target): number {
  const { success = 0, failure = 0, overload = 0, ignored = 0 } = target.wouldHave ?? {};
  return target.status().counts.refused + success + failure + overload + ignored;
}

test('a call that would have been refused takes no place from the next one', async () => {
  const defaults = { policy: { concurrency: 5 } };
  const healed = await load('heal', defaults, () => 100);
  const observed = await load('observe', defaults, () => 100);
  expect(healed).toEqual({ refused: 1_000, incidents: [] });
  expect(observed).toEqual(healed);
});

test('a call that would have been cut short takes no place either, however long it goes on', async () => {
  const defaults = { policy: { concurrency: 20 }, timeoutMs: 1_000 };
  const tookMs = (call: number) => (call % 100 === 0 ? Number.POSITIVE_INFINITY : 100);
  const healed = await load('heal', defaults, tookMs);
  const observed = await load('observe', defaults, tookMs);
  expect(healed).toEqual({ refused: 0, incidents: [] });
  expect(observed).toEqual(healed);
});

test('calls in flight are all counted; those that take no place do not saturate the target', async () => {
  const { clock, target } = setup('observe', { policy: { concurrency: 2 }, timeoutMs: 100 });
  const ends: (() => void)[] = [];
  for (let i = 0; i < 5; i++) target.run(() => new Promise<void>((end) => ends.push(end)));
  const saturation = () => target.monitor.snapshot(target.time.read()).saturation;
  expect(target.status().inFlight).toBe(5);
  expect(saturation()).toBe(1);
  await clock.advance(150);
  expect(target.status().inFlight).toBe(5);
  expect(saturation()).toBe(0);
  for (const end of ends) end();
  await clock.advance(20);
  expect(target.monitor).toMatchObject({ inFlight: 0, placeless: 0, places: 0 });
});
