import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RateLimiter } from './rate-limiter.ts';
import { RetryBudget } from './retry-budget.ts';

describe('the rate', () => {
  test('a burst, then one each perMs / calls; a refusal says when', () => {
    const rate = new RateLimiter({ calls: 4, perMs: 1_000 }, 0);
    expect([1, 2, 3, 4].map(() => rate.take(0))).toEqual([0, 0, 0, 0]);
    expect(rate.take(0)).toBe(250);
    expect(rate.take(100)).toBe(150);
    expect(rate.take(250)).toBe(0);
    expect(rate.take(250)).toBe(250);
  });

  test('fewer than one call in perMs still lets one go at a time', () => {
    const rate = new RateLimiter({ calls: 0.5, perMs: 1_000 }, 0);
    expect(rate.take(0)).toBe(0);
    expect(rate.take(1_000)).toBe(1_000);
    expect(rate.take(2_000)).toBe(0);
  });

  test('over any time no more calls go than the burst and what was earned, and a promise to wait is kept', () => {
    const times = fc.array(fc.nat({ max: 400 }), { maxLength: 200 });
    fc.assert(
      fc.property(
        times,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 10 }),
        (gaps, calls, burst) => {
          const rate = new RateLimiter({ calls, perMs: 1_000, burst }, 0);
          let now = 0;
          let gone = 0;
          for (const gap of gaps) {
            now += gap;
            const waitMs = rate.take(now);
            if (waitMs > 0) {
              now += waitMs;
              expect(rate.take(now)).toBe(0);
            }
            gone++;
            expect(gone).toBeLessThanOrEqual(burst + (now * calls) / 1_000 + 1e-3);
          }
        },
      ),
    );
  });

  test('a clock that goes back earns nothing and takes nothing', () => {
    const rate = new RateLimiter({ calls: 1, perMs: 1_000 }, 5_000);
    expect(rate.take(5_000)).toBe(0);
    expect(rate.take(4_000)).toBe(1_000);
    expect(rate.take(5_000)).toBe(1_000);
  });
});

test('a wrong setting of a limit that stands alone names its field', () => {
  expect(() => new RateLimiter({ calls: 0 }, 0)).toThrow(expect.objectContaining({ path: 'rate.calls' }));
  expect(() => new RetryBudget({ budget: 2 })).toThrow(expect.objectContaining({ path: 'budget.budget' }));
  expect(() => new RetryBudget({ budgt: 1 } as never)).toThrow('Did you mean budget?');
});

describe('the budget of repeats', () => {
  const clock = { now: () => 0, wall: () => 0, setTimer: () => undefined as never, afterPoll: () => {} };

  test('a floor, and a share of the calls of the last ten seconds; repeats leave it with them', () => {
    const budget = new RetryBudget({ budget: 0.1, budgetPerSecond: 0.5 }, clock);
    expect(budget.available(0)).toBe(5);
    for (let i = 0; i < 100; i++) budget.deposit(0);
    expect(budget.available(0)).toBe(15);
    for (let i = 0; i < 15; i++) expect(budget.tryWithdraw(0)).toBe(true);
    expect(budget.tryWithdraw(0)).toBe(false);
    expect(budget.tryWithdraw(9_000)).toBe(false);
    expect(budget.available(11_000)).toBe(5);
  });

  test('a change keeps what was counted', () => {
    const budget = new RetryBudget({ budget: 0.2, budgetPerSecond: 0 }, clock);
    for (let i = 0; i < 10; i++) budget.deposit(0);
    expect(budget.tryWithdraw(0)).toBe(true);
    budget.update({ budget: 0.5 });
    expect(budget.available(0)).toBe(4);
    budget.update({ budgetPerSecond: 1 });
    expect(budget.available(0)).toBe(14);
  });
});
