import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Random, seededRandom } from '../time/random.ts';
import { ChangeDetector, type ChangeOptions } from './change-detector.ts';

const STEP_MS = 500;

/** Nearly normal, with deviation 1. */
function noise(random: Random): number {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += random.next();
  return sum;
}

/** Tells at which steps which change was in force. */
function play(values: Iterable<number>, options: ChangeOptions = {}, weight = 1) {
  const detector = new ChangeDetector(options);
  const seen: { up: number[]; down: number[] } = { up: [], down: [] };
  let step = 0;
  for (const value of values) {
    step++;
    const change = detector.update(value, step * STEP_MS, weight);
    if (change !== undefined) seen[change].push(step);
  }
  return { ...seen, detector };
}

function* normal(steps: number, mean: (step: number) => number, seed = 1, spread = 1): Generator<number> {
  const random = seededRandom(seed);
  for (let step = 1; step <= steps; step++) yield mean(step) + spread * noise(random);
}

describe('ChangeDetector', () => {
  test('says nothing about 100,000 values of a steady series, whatever its level and spread', () => {
    for (const [level, spread] of [
      [0, 1],
      [1e6, 50],
      [-3, 0.001],
    ] as const) {
      const { up, down } = play(normal(100_000, () => level, 7, spread));
      expect([...up, ...down]).toEqual([]);
    }
  });

  test.each([
    [6, 4, 5],
    [3, 8, 10],
    [2, 20, 20],
  ])(
    'sees a step of %i deviations within %i values, up and down, and its end within %i',
    (size, within, over) => {
      for (let seed = 1; seed <= 30; seed++) {
        const step = (sign: number) => (at: number) => (at > 500 && at <= 560 ? sign * size : 0);
        const { up, down } = play(normal(620, step(1), seed));
        expect(up[0]).toBeGreaterThan(500);
        expect(up[0]).toBeLessThanOrEqual(500 + within);
        expect(up.at(-1)).toBeLessThanOrEqual(560 + over);
        expect(down).toEqual([]);
        const fall = play(normal(620, step(-1), seed));
        expect(fall.down[0]).toBeLessThanOrEqual(500 + within);
        expect(fall.up).toEqual([]);
      }
    },
  );

  test('one value alone is no change, however wild', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, min: -1e12, max: 1e12 }),
        fc.integer({ min: 1, max: 50 }),
        (wild, seed) => {
          const { up, down } = play([...normal(300, () => 0, seed)].map((v, i) => (i === 200 ? wild : v)));
          expect([...up, ...down]).toEqual([]);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('the baseline learns nothing from what is flagged, and hardly anything before', () => {
    const { up, detector } = play(normal(5_000, (at) => (at > 1_000 ? 50 : 0)));
    expect(up.at(-1)).toBe(5_000);
    expect(Math.abs(detector.baseline)).toBeLessThan(0.5);
  });

  test('it follows what moves slowly', () => {
    const { up, down, detector } = play(normal(20_000, (at) => at / 1_000));
    expect([...up, ...down]).toEqual([]);
    expect(detector.baseline).toBeGreaterThan(18);
  });

  test('a change that lasts is adopted, where that is wished', () => {
    const { up, detector } = play(
      normal(3_000, (at) => (at > 1_000 ? 50 : 0)),
      { adoptAfterMs: 60_000 },
    );
    expect(up).toHaveLength(120);
    expect(detector.baseline).toBeCloseTo(50, 0);
  });

  test('differences that are of no interest are none, and few observations prove little', () => {
    const step = (at: number) => (at > 500 ? 0.9 : 0);
    const series = () => normal(1_000, step, 3, 0.1);
    expect(play(series()).up.length).toBeGreaterThan(400);
    expect(play(series(), { leastChange: 1 }).up).toEqual([]);
    const options = { leastDeviation: 2 };
    expect(play(series(), options, 4).up).toEqual([]);
    expect(play(series(), options, 100).up.length).toBeGreaterThan(400);
  });

  test('what is never normal is not learned as such', () => {
    const { up, detector } = play(
      normal(2_000, (at) => at / 400, 1, 0.1),
      { warmUp: 0, highest: 1, leastChange: 0.5 },
    );
    expect(up[0]).toBeGreaterThan(400);
    expect(up.at(-1)).toBe(2_000);
    expect(detector.baseline).toBeLessThanOrEqual(1);
  });

  test('a series without any spread is judged all the same', () => {
    const values = Array.from({ length: 100 }, (_, i) => (i < 50 ? 3 : 4));
    expect(play(values).up[0]).toBe(53);
  });

  test('a jump that is a habit is left alone after a while', () => {
    const random = seededRandom(4);
    const jumping = Array.from({ length: 8_000 }, () => (random.next() < 0.12 ? 60 : 0) + noise(random));
    const { up } = play(jumping, { drift: 1.5 });
    expect(up.filter((at) => at > 1_000)).toEqual([]);
  });

  test('where changes prove short it grows patient, if it may', () => {
    const blips = (at: number) => (at % 200 >= 196 ? 9 : 0);
    const starts = (patience: number) => {
      const { up } = play(normal(2_000, blips), { patience });
      return up.filter((at, i) => at !== (up[i - 1] ?? 0) + 1).length;
    };
    expect(starts(1)).toBe(10);
    expect(starts(4)).toBe(1);
  });

  test('nothing is judged in the time of the warm-up', () => {
    const step = (at: number) => (at > 60 ? 9 : 0);
    expect(play(normal(200, step), { warmUpMs: 50_000 }).up).toEqual([]);
    expect(play(normal(200, step), { warmUpMs: 20_000 }).up.length).toBeGreaterThan(100);
  });

  test('calm takes the change back', () => {
    const { detector } = play(normal(520, (at) => (at > 500 ? 9 : 0)));
    expect(detector.changed).toBe('up');
    detector.calm();
    expect(detector.changed).toBeUndefined();
    expect(detector.update(0, 1e6)).toBeUndefined();
  });
});
