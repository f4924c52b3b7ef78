import { expect, test } from 'vitest';
import { differenceOf, intervalOf } from './interval.ts';

test('the interval is that of Student’s t', () => {
  const { mean, low, high } = intervalOf([1, 2, 3, 4, 5]);
  expect(mean).toBe(3);
  expect(high - mean).toBeCloseTo(2.776 * Math.sqrt(2.5 / 5), 6);
  expect(mean - low).toBeCloseTo(high - mean, 12);
});

test('one value alone says nothing of its interval', () => {
  expect(intervalOf([2])).toEqual({ mean: 2, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY });
});

test('pairs that differ by the same have no width, however far apart they are', () => {
  expect(differenceOf([1, 5, 9], [0, 4, 8])).toEqual({ mean: 1, low: 1, high: 1 });
});
