import { describe, expect, test } from 'vitest';
import { estimate, estimateOf, median, quantile, seededRandom, shuffled } from './statistics.ts';

/** Sums of uniform numbers: close enough to a normal distribution around `mean`. */
function sample(random: () => number, mean: number, spread: number): number {
  let sum = 0;
  for (let i = 0; i < 12; i++) sum += random();
  return mean + (sum - 6) * spread;
}

describe('median and quantile', () => {
  test('of odd, even and unsorted numbers of values', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([10, 1, 9, 2])).toBe(5.5);
    expect(median([7])).toBe(7);
    expect(median([])).toBeNaN();
  });

  test('interpolates, and ends at the ends', () => {
    const values = [0, 10, 20, 30, 40];
    expect([0, 0.25, 0.6, 1].map((share) => quantile(values, share))).toEqual([0, 10, 24, 40]);
  });
});

describe('estimate', () => {
  test('its interval holds the truth about 95 times in 100', () => {
    const random = seededRandom(42);
    let held = 0;
    for (let trial = 0; trial < 100; trial++) {
      const { low, high } = estimateOf(Array.from({ length: 30 }, () => sample(random, 5, 1)));
      if (low <= 5 && 5 <= high) held++;
    }
    expect(held).toBeGreaterThanOrEqual(90);
  });

  test('groups that err together give a wider interval than their single values would', () => {
    const random = seededRandom(7);
    const groups = Array.from({ length: 8 }, () => {
      const bias = sample(random, 0, 1);
      return Array.from({ length: 5 }, () => sample(random, bias, 0.05));
    });
    const grouped = estimate(groups);
    const single = estimateOf(groups.flat());
    expect(grouped.median).toBe(single.median);
    expect(grouped.high - grouped.low).toBeGreaterThan(1.3 * (single.high - single.low));
  });

  test('is the same for the same values', () => {
    const values = [1, 5, 2, 8, 3];
    expect(estimateOf(values)).toEqual(estimateOf(values));
  });

  test('of values that are all equal has no width', () => {
    expect(estimateOf([4, 4, 4])).toEqual({ median: 4, low: 4, high: 4 });
  });
});

test('shuffled keeps every value', () => {
  const values = [1, 2, 3, 4, 5, 6];
  expect(shuffled(values, seededRandom(3)).sort()).toEqual(values);
});
