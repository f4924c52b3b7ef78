import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LOOP_LEVELS, LoopBudget, type LoopLevel } from './loop-budget.ts';

const TICK_MS = 500;

/** A budget whose first window begins at 0. */
function begun(): LoopBudget {
  const budget = new LoopBudget();
  budget.spent(0, 0);
  return budget;
}

/** The level after each tick of `seconds`, of which the loop takes `share`. */
function play(budget: LoopBudget, from: number, seconds: number, share: number): LoopLevel[] {
  const ticks = (seconds * 1_000) / TICK_MS;
  return Array.from({ length: ticks }, (_, i) => budget.spent(share * TICK_MS, from + (i + 1) * TICK_MS));
}

describe('LoopBudget', () => {
  test('within its share it does all', () => {
    const budget = begun();
    expect(new Set(play(budget, 0, 600, 0.019))).toEqual(new Set(['all']));
    expect(budget.share).toBeCloseTo(0.019, 6);
  });

  test('beyond it, it does less and less: a step for each window', () => {
    const levels = play(begun(), 0, 30, 0.03);
    expect(levels.filter((level, i) => level !== levels[i - 1])).toEqual([...LOOP_LEVELS]);
    expect(levels.indexOf('no-evolution')).toBe(9);
    expect(levels.indexOf('longer-tick')).toBe(19);
  });

  test('far beyond it, it does the least at once', () => {
    expect(play(begun(), 0, 10, 0.5).at(-1)).toBe('basic');
  });

  test('it does more again step by step, after a calm each', () => {
    const budget = begun();
    play(budget, 0, 10, 0.5);
    const levels = play(budget, 10_000, 120, 0.005);
    expect(levels.filter((level, i) => level !== levels[i - 1])).toEqual([
      'basic',
      'longer-tick',
      'no-evolution',
      'all',
    ]);
    expect(levels.indexOf('longer-tick') * TICK_MS).toBeGreaterThanOrEqual(29_000);
  });

  test('where there is no room for more, it stays as it is', () => {
    const budget = begun();
    play(budget, 0, 5, 0.03);
    expect(new Set(play(budget, 5_000, 600, 0.015))).toEqual(new Set(['no-evolution']));
  });

  test('a long tick counts for what it is of its window', () => {
    const budget = begun();
    play(budget, 0, 60, 0.001);
    expect(budget.spent(110, 60_110)).toBe('all');
    expect(play(budget, 60_110, 5, 0.001)).toContain('no-evolution');
  });

  test('over any load it never does more while the share is too high', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 0.2, noNaN: true }), { maxLength: 40 }), (shares) => {
        const budget = begun();
        let now = 0;
        for (const share of shares) {
          const before = LOOP_LEVELS.indexOf(budget.level);
          play(budget, now, 5, share);
          now += 5_000;
          const after = LOOP_LEVELS.indexOf(budget.level);
          if (share > 0.0201) expect(after).toBe(share > 0.081 ? 3 : Math.min(3, before + 1));
          if (after < before) expect(share).toBeLessThanOrEqual(0.0101);
        }
      }),
    );
  });
});
