import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shareAtLeast, shareAtMost } from './share-bounds.ts';

test('hold the share that was seen, and are each other seen from the good side', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1e6 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (calls, share) => {
        const bad = Math.round(calls * share);
        const least = shareAtLeast(bad, calls);
        const most = shareAtMost(bad, calls);
        expect(least).toBeGreaterThanOrEqual(0);
        expect(least).toBeLessThanOrEqual(bad / calls + 1e-9);
        expect(most).toBeGreaterThanOrEqual(bad / calls - 1e-9);
        expect(most).toBeLessThanOrEqual(1);
        expect(shareAtMost(calls - bad, calls)).toBeCloseTo(1 - least, 9);
      },
    ),
  );
});

test('figures as they stand in tables of the Wilson interval', () => {
  expect(shareAtLeast(1, 10)).toBeCloseTo(0.0179, 4);
  expect(shareAtMost(1, 10)).toBeCloseTo(0.4042, 4);
  expect(shareAtMost(0, 10)).toBeCloseTo(0.2775, 4);
  expect(shareAtLeast(10, 10)).toBeCloseTo(0.7225, 4);
});
