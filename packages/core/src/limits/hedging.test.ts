import { describe, expect, test } from 'vitest';
import { Hedging } from './hedging.ts';
import { RetryBudget } from './retry-budget.ts';

const LONG = { p50: 40, p95: 90, p99: 2_000 };
const SHORT = { p50: 40, p95: 90, p99: 130 };
const clock = { now: () => 0, wall: () => 0, setTimer: () => undefined as never, afterPoll: () => {} };

function setup(quantiles = LONG, samples = 1_000) {
  const hedging = new Hedging();
  const budget = new RetryBudget({ budget: 1, budgetPerSecond: 100 }, clock);
  hedging.update(quantiles, samples, 1_000);
  const take = (limited = false, leftMs = 1_000) => hedging.take(budget, limited, leftMs, 0);
  return { hedging, budget, take };
}

describe('when', () => {
  test('after the 95th percentile, where the tail is long', () => {
    expect(setup().hedging.delayMs).toBe(90);
    expect(setup(SHORT).hedging.delayMs).toBeUndefined();
    expect(setup(SHORT).take()).toBe(false);
  });

  test('never while little is known, or nothing any more', () => {
    expect(setup(LONG, 99).hedging.delayMs).toBeUndefined();
    const { hedging } = setup();
    hedging.update(undefined, 0, 0);
    expect(hedging.delayMs).toBeUndefined();
  });

  test('never at once, however fast the calls are', () => {
    expect(setup({ p50: 0.1, p95: 0.3, p99: 40 }).hedging.delayMs).toBe(5);
    expect(setup({ p50: 0.1, p95: 0.3, p99: 4 }).hedging.delayMs).toBeUndefined();
  });
});

describe('whether', () => {
  test('never while calls are limited, nor with less time than a hedge takes', () => {
    expect(setup().take(true)).toBe(false);
    expect(setup().take(false, 89)).toBe(false);
    expect(setup().take()).toBe(true);
  });

  test('out of the budget of repeats, which a hedge that is not sent leaves alone', () => {
    const { hedging } = setup();
    const budget = new RetryBudget({ budget: 0, budgetPerSecond: 0.2 }, clock);
    expect(hedging.take(budget, true, 1_000, 0)).toBe(false);
    expect(hedging.take(budget, false, 1_000, 0)).toBe(true);
    expect(hedging.take(budget, false, 1_000, 0)).toBe(true);
    expect(hedging.take(budget, false, 1_000, 0)).toBe(false);
  });

  test('for one call in twenty at most, when all of them take long', () => {
    const { hedging, budget } = setup();
    let sent = 0;
    let calls = 0;
    for (let now = 0; now < 20_000; now += 500) {
      for (let call = 0; call < 100; call++) if (hedging.take(budget, false, 1_000, now)) sent++;
      calls += 100;
      hedging.update(LONG, 1_000, 100);
    }
    expect(sent).toBeGreaterThan(0.04 * calls);
    expect(sent).toBeLessThanOrEqual(0.05 * calls + 10);
  });
});

/** One call in a hundred takes fifty times as long: what 99.5 % of the calls take at most, hedged or not. */
test('in a closed loop: the tail is cut, for few calls more', () => {
  const latencyOf = (call: number) => (call % 100 === 37 ? 2_000 : 30 + (call % 41));
  const { hedging, budget } = setup({ p50: 50, p95: 69, p99: 2_000 });
  let extra = 0;
  let sum = 0;
  const latencies: number[] = [];
  for (let call = 0; call < 10_000; call++) {
    if (call % 100 === 0) hedging.update({ p50: 50, p95: 69, p99: 2_000 }, 1_000, 100);
    budget.deposit(call * 4);
    let ms = latencyOf(call);
    const { delayMs } = hedging;
    if (delayMs !== undefined && ms > delayMs && hedging.take(budget, false, 1_000, call * 4)) {
      extra++;
      ms = Math.min(ms, delayMs + latencyOf(call * 7 + 1));
    }
    sum += ms;
    latencies.push(ms);
  }
  latencies.sort((a, b) => a - b);
  expect(latencies[9_950]).toBeLessThan(150);
  expect(sum / 10_000).toBeLessThan(55);
  expect(extra / 10_000).toBeLessThan(0.05);
});
