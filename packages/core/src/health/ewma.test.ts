import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Ewma } from './ewma.ts';

const HALF_LIFE_MS = 1_000;
const values = fc.array(
  fc.record({
    value: fc.double({ min: -1_000, max: 1_000, noNaN: true }),
    waitMs: fc.integer({ min: 0, max: 3_000 }),
    weight: fc.integer({ min: 1, max: 20 }),
  }),
  { minLength: 1, maxLength: 40 },
);

test('mean, deviation and samples are those of all values, each weighed by its age', () => {
  fc.assert(
    fc.property(values, (given) => {
      const ewma = new Ewma(HALF_LIFE_MS);
      let now = 5_000;
      const seen = given.map(({ value, waitMs, weight }) => {
        now += waitMs;
        ewma.add(value, now, weight);
        return { value, weight, at: now };
      });
      const age = (at: number) => 2 ** ((at - now) / HALF_LIFE_MS);
      const total = seen.reduce((sum, { weight, at }) => sum + weight * age(at), 0);
      const mean = seen.reduce((sum, { value, weight, at }) => sum + value * weight * age(at), 0) / total;
      const square = seen.reduce((s, { value, weight, at }) => s + (value - mean) ** 2 * weight * age(at), 0);
      expect(ewma.mean).toBeCloseTo(mean, 5);
      expect(ewma.deviation).toBeCloseTo(Math.sqrt(square / total), 3);
      expect(ewma.samples).toBeCloseTo(
        seen.reduce((sum, { at }) => sum + age(at), 0),
        6,
      );
    }),
  );
});

test('after a half-life an old value counts half', () => {
  const ewma = new Ewma(HALF_LIFE_MS);
  ewma.add(0, 0);
  ewma.add(3, HALF_LIFE_MS);
  expect(ewma.mean).toBeCloseTo(2, 10);
});

test('knows nothing before the first value and after a clear; a clock that stands still, or goes back, does no harm', () => {
  const ewma = new Ewma(HALF_LIFE_MS);
  const blank = [0, 0, 0];
  expect([ewma.mean, ewma.deviation, ewma.samples]).toEqual(blank);
  ewma.add(4, 1_000);
  ewma.add(8, 900);
  expect([ewma.mean, ewma.deviation, ewma.samples]).toEqual([6, 2, 2]);
  ewma.clear();
  expect([ewma.mean, ewma.deviation, ewma.samples]).toEqual(blank);
});
