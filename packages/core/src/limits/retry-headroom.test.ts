import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RetryBudget } from './retry-budget.ts';
import { RetryHeadroom } from './retry-headroom.ts';

const TICK_MS = 100;
const clock = { now: () => 0, wall: () => 0, setTimer: () => undefined as never, afterPoll: () => {} };

/** Ticks of the same kind; what the headroom is at last. */
function after(ticks: number, tick: { good?: number; bad?: number; over?: number; limited?: boolean }) {
  const headroom = new RetryHeadroom();
  let now = 0;
  const go = (count: number, { good = 0, bad = 0, over = 0, limited = false }: typeof tick) => {
    for (let i = 0; i < count; i++) {
      now += TICK_MS;
      headroom.update(good, bad, over, limited, now);
    }
    return headroom.value;
  };
  go(ticks, tick);
  return { headroom, go };
}

describe('there is room', () => {
  test('while all is well, and while half of the calls fail', () => {
    expect(after(20, { good: 25 }).headroom.value).toBe(1);
    expect(after(20, { good: 12, bad: 13 }).headroom.value).toBe(1);
  });

  test('within a second, not at once', () => {
    const { go } = after(1, { good: 25 });
    expect(go(5, { good: 25 })).toBeCloseTo(0.5, 5);
    expect(go(5, { good: 25 })).toBeCloseTo(1, 5);
  });
});

describe('there is none', () => {
  const { go: fresh } = after(20, { good: 25 });

  test('from the tick on in which calls are limited', () => {
    expect(fresh(1, { good: 25, limited: true })).toBe(0);
  });

  test('when one call in ten is refused by the other side', () => {
    expect(after(20, { good: 22, over: 3 }).headroom.value).toBe(0);
    expect(after(20, { good: 99, over: 1 }).headroom.value).toBe(1);
  });

  test('half a second to one after all calls began to fail', () => {
    const { go } = after(20, { good: 25 });
    expect(go(4, { bad: 25 })).toBe(1);
    expect(go(14, { bad: 25 })).toBe(0);
  });

  test('while there are hardly any calls', () => {
    expect(after(20, {}).headroom.value).toBe(0);
    expect(after(20, { good: 0.1 }).headroom.value).toBe(0);
  });
});

describe('the budget takes the headroom as a share where that is more', () => {
  test('and no more than its own where there is none', () => {
    const budget = new RetryBudget({ budget: 0.2, budgetPerSecond: 1 }, clock);
    for (let i = 0; i < 100; i++) budget.deposit(0);
    expect(budget.available(0)).toBe(30);
    budget.headroom = 1;
    expect(budget.available(0)).toBe(110);
    budget.headroom = 0.1;
    expect(budget.available(0)).toBe(30);
  });
});

/**
 * 250 calls a second of which `failing` fail, by an upstream that takes `capacity` a second and refuses the rest;
 * each failed attempt is repeated once more as far as the budget goes, four times at most. Shares of good calls and of
 * attempts a call over the last 5 of 10 s.
 */
function loop(failing: number, capacity: number, tied: boolean) {
  const budget = new RetryBudget({ budget: 0.2, budgetPerSecond: 1 }, clock);
  const headroom = new RetryHeadroom();
  let calls = 0;
  let good = 0;
  let attempts = 0;
  let repeats = [0, 0, 0, 0];
  for (let now = TICK_MS; now <= 10_000; now += TICK_MS) {
    for (let i = 0; i < 25; i++) budget.deposit(now);
    const tries = [25, ...repeats];
    const sent = tries.reduce((sum, count) => sum + count, 0);
    const taken = Math.min(1, (capacity * TICK_MS) / 1_000 / sent);
    const success = taken * (1 - failing);
    repeats = tries.slice(0, 4).map((count) => {
      let repeated = 0;
      for (let want = Math.round(count * (1 - success)); want > 0 && budget.tryWithdraw(now); want--)
        repeated++;
      return repeated;
    });
    headroom.update(sent * success, sent * taken * failing, sent * (1 - taken), false, now);
    if (tied) budget.headroom = headroom.value;
    if (now <= 5_000) continue;
    calls += 25;
    good += sent * success;
    attempts += sent;
  }
  return { good: good / calls, attempts: attempts / calls };
}

describe('in a closed loop', () => {
  test('half of the calls fail: nearly all succeed, where a fifth of repeats leaves a third without', () => {
    expect(loop(0.5, 1_000, false).good).toBeLessThan(0.7);
    expect(loop(0.5, 1_000, true).good).toBeGreaterThan(0.93);
    expect(loop(0.5, 1_000, true).attempts).toBeLessThan(2.1);
  });

  test('an overloaded upstream gets no more than without', () => {
    expect(loop(0, 125, true).attempts).toBeLessThanOrEqual(loop(0, 125, false).attempts + 0.01);
    expect(loop(0.2, 260, true).attempts).toBeLessThan(1.35);
  });

  test('a dead one gets the fixed share', () => {
    expect(loop(1, 1_000, true).attempts).toBeLessThan(1.25);
  });
});

test('it stays between 0 and 1, and never rises faster than within a second', () => {
  const count = fc.nat({ max: 1_000 });
  const tick = fc.tuple(fc.nat({ max: 2_000 }), count, count, count, fc.boolean());
  fc.assert(
    fc.property(fc.array(tick, { maxLength: 50 }), (ticks) => {
      const headroom = new RetryHeadroom();
      let now = 0;
      for (const [gap, good, bad, over, limited] of ticks) {
        const before = headroom.value;
        now += gap;
        const value = headroom.update(good, bad, over, limited, now);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
        expect(value).toBeLessThanOrEqual(before + gap / 1_000 + 1e-9);
        if (limited) expect(value).toBe(0);
      }
    }),
  );
});
