import { expect, test } from 'vitest';
import { backOffMs } from './back-off.ts';

const half = { next: () => 0.5 };

test.each([
  [1, [125, 250, 500, 1_000, 2_000, 2_500, 2_500]],
  [125, [125, 250]],
  [1_000, [1_000, 2_000, 2_500, 2_500]],
  [4_000, [4_000, 4_000]],
  [1e9, [10_000, 10_000]],
])('with %i replicas, half of the wait is %j', (live, waits) => {
  expect(waits.map((_, n) => backOffMs(n + 1, live, half))).toEqual(waits);
});

test('after however many failures, it is a time', () => {
  expect(backOffMs(1e6, 1, half)).toBe(2_500);
});
