import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CallWindow } from './call-window.ts';
import { CountWindow } from './count-window.ts';
import { TimeWindow } from './time-window.ts';

interface Call {
  at: number;
  failed: boolean;
  slow: boolean;
}
/** A resize knows the age of a call only to within a bucket. */
type BlurredCall = Call & { blur: number };
type Action = { wait: number; failed: boolean; slow: boolean; resizeTo: number | undefined };

const actions = (waits: readonly number[], sizes: readonly number[]) =>
  fc.array(
    fc.record<Action>({
      wait: fc.constantFrom(...waits),
      failed: fc.boolean(),
      slow: fc.boolean(),
      resizeTo: fc.option(fc.constantFrom(...sizes), { nil: undefined, freq: 8 }),
    }),
    { maxLength: 120 },
  );

function countsOf({ calls, failures, slow }: CallWindow) {
  return { calls, failures, slow };
}

function sum(calls: readonly Call[]) {
  return {
    calls: calls.length,
    failures: calls.filter(({ failed }) => failed).length,
    slow: calls.filter(({ slow }) => slow).length,
  };
}

describe('CountWindow', () => {
  test('counts exactly the last calls, whatever its size becomes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), actions([1], [1, 2, 5, 13]), (size, run) => {
        let window = new CountWindow(size);
        let remembered: Call[] = [];
        for (const { failed, slow, resizeTo } of run) {
          window.add(0, failed, slow);
          remembered = [...remembered, { at: 0, failed, slow }].slice(-window.size);
          if (resizeTo !== undefined) {
            window = window.resized(resizeTo);
            remembered = remembered.slice(-resizeTo);
          }
          expect(countsOf(window)).toEqual(sum(remembered));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('is empty after clear, and counts anew', () => {
    const window = new CountWindow(2);
    window.add(0, true, true);
    window.add(0, true, true);
    window.clear();
    expect(countsOf(window)).toEqual({ calls: 0, failures: 0, slow: 0 });
    for (let i = 0; i < 3; i++) window.add(0, false, true);
    expect(countsOf(window)).toEqual({ calls: 2, failures: 0, slow: 2 });
  });
});

describe('TimeWindow', () => {
  const WAITS = [0, 0, 0.1, 3, 47, 99.9, 100, 101, 450, 899, 900, 999.9, 1_000, 1_001, 5_000, 1e9];

  test('counts every call of the last nine tenths, and none older than the whole', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e7, noNaN: true }), actions(WAITS, [1]), (start, run) => {
        const window = new TimeWindow(1_000);
        const calls: Call[] = [];
        let now = start;
        for (const { wait, failed, slow } of run) {
          now += wait;
          window.add(now, failed, slow);
          calls.push({ at: now, failed, slow });
          expectWithin(window, calls, now);
        }
        for (const wait of WAITS) {
          now += wait;
          window.expire(now);
          expectWithin(window, calls, now);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('keeps what is recent under every other length', () => {
    const LENGTHS = [100, 250, 1_000, 10_000];
    fc.assert(
      fc.property(actions([0, 1, 9, 31, 120, 700, 4_000], LENGTHS), (run) => {
        let window = new TimeWindow(1_000);
        let surely: BlurredCall[] = [];
        let maybe: BlurredCall[] = [];
        let now = 0;
        // What has left one window does not come back in a longer one.
        const forget = () => {
          const { windowMs } = window;
          surely = surely.filter(({ at, blur }) => now - at < 0.9 * windowMs - blur - ROUNDING);
          maybe = maybe.filter(({ at, blur }) => now - at < windowMs + blur + ROUNDING);
        };
        for (const { wait, failed, slow, resizeTo } of run) {
          now += wait;
          window.add(now, failed, slow);
          const call = { at: now, failed, slow, blur: 0 };
          surely.push(call);
          maybe.push(call);
          forget();
          if (resizeTo !== undefined) {
            for (const regrouped of maybe) regrouped.blur += window.windowMs / 10;
            window = window.resized(resizeTo, now);
            forget();
          }
          expectBetween(window, surely, maybe);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('a resize loses nothing that fits, and a shorter one drops the old', () => {
    const window = new TimeWindow(1_000);
    for (let at = 0; at < 1_000; at += 100) window.add(at, at >= 500, false);
    expect(countsOf(window.resized(10_000, 999))).toEqual({ calls: 10, failures: 5, slow: 0 });
    const shorter = window.resized(300, 999);
    expect(shorter.calls).toBeGreaterThanOrEqual(2);
    expect(shorter.calls).toBeLessThanOrEqual(4);
    expect(shorter.failures).toBe(shorter.calls);
  });

  test('an empty or long idle window can be resized', () => {
    const window = new TimeWindow(1_000);
    expect(countsOf(window.resized(500, 5))).toEqual({ calls: 0, failures: 0, slow: 0 });
    window.add(10, true, true);
    expect(countsOf(window.resized(5_000, 1_010))).toEqual({ calls: 0, failures: 0, slow: 0 });
  });

  test('a clear in mid-bucket forgets that bucket too', () => {
    const window = new TimeWindow(1_000);
    window.add(50, true, true);
    window.clear();
    window.add(60, false, false);
    window.expire(999);
    expect(countsOf(window)).toEqual({ calls: 1, failures: 0, slow: 0 });
  });
});

const ROUNDING = 1e-6;

function expectWithin(window: TimeWindow, calls: readonly Call[], now: number) {
  const surely = calls.filter(({ at }) => now - at < 0.9 * window.windowMs - ROUNDING);
  const maybe = calls.filter(({ at }) => now - at < window.windowMs + ROUNDING);
  expectBetween(window, surely, maybe);
}

function expectBetween(window: CallWindow, surely: readonly Call[], maybe: readonly Call[]) {
  const [least, most] = [sum(surely), sum(maybe)];
  for (const field of ['calls', 'failures', 'slow'] as const) {
    expect(window[field]).toBeGreaterThanOrEqual(least[field]);
    expect(window[field]).toBeLessThanOrEqual(most[field]);
  }
}
