import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../time/random.ts';
import { FailurePredictor } from './failure-predictor.ts';

const STEP_MS = 500;

/** The probability after each of `steps` intervals of `calls` calls. */
function play(calls: number, steps: number, shareAt: (step: number) => number, seed = 1): number[] {
  const predictor = new FailurePredictor();
  const random = seededRandom(seed);
  return Array.from({ length: steps }, (_, step) => {
    let failures = 0;
    for (let i = 0; i < calls; i++) if (random.next() < shareAt(step)) failures++;
    predictor.update(calls, failures, step * STEP_MS);
    return predictor.probability;
  });
}

describe('FailurePredictor', () => {
  test('without failures it is 0, and without evidence too', () => {
    expect(Math.max(...play(100, 50, () => 0))).toBe(0);
    expect(new FailurePredictor().probability).toBe(0);
    expect(Math.max(...play(0, 50, () => 1))).toBe(0);
  });

  test('one failure among few calls is next to nothing', () => {
    expect(play(1, 1, () => 1)[0]).toBeLessThan(0.05);
    expect(Math.max(...play(2, 40, (step) => (step === 20 ? 1 : 0)))).toBeLessThan(0.1);
  });

  test('where all fail it is nearly certain within a second or so, the sooner the more calls there are', () => {
    const many = play(50, 12, (step) => (step >= 8 ? 1 : 0));
    expect(many[7]).toBe(0);
    expect(many[9]).toBeGreaterThan(0.6);
    expect(many[11]).toBeGreaterThan(0.8);
    const few = play(2, 40, (step) => (step >= 8 ? 1 : 0));
    expect(few[9]).toBeLessThan(many[9] as number);
    expect(few.at(-1)).toBeGreaterThan(0.1);
  });

  test('a rise is foreseen: beyond what is there, and not beyond what is to come', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const share = (step: number) => Math.min(1, Math.max(0, (step - 10) * 0.05));
      const seen = play(500, 26, share, seed);
      const ahead = seen.filter((probability, step) => step > 18 && probability > share(step));
      expect(ahead.length).toBeGreaterThanOrEqual(5);
      seen.forEach((probability, step) => {
        expect(probability).toBeLessThanOrEqual(share(step + 2) + 0.1);
      });
    }
  });

  test('a fall is foreseen too: it is gone a second after the failures', () => {
    const seen = play(100, 40, (step) => (step >= 10 && step < 20 ? 0.8 : 0));
    expect(seen[18]).toBeGreaterThan(0.7);
    expect(seen[21]).toBeLessThan(0.2);
    expect(seen[22]).toBe(0);
  });

  test('a steady share is told as it is, from below', () => {
    for (const share of [0.01, 0.1, 0.5]) {
      for (const probability of play(1_000, 60, () => share, 5).slice(20)) {
        expect(probability).toBeGreaterThan(share * 0.4);
        expect(probability).toBeLessThan(share * 1.5 + 0.01);
      }
    }
  });

  test('is a probability, whatever comes', () => {
    const calls = fc.record({
      calls: fc.nat(1_000),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      waitMs: fc.constantFrom(0, 1, 500, 60_000),
    });
    fc.assert(
      fc.property(fc.array(calls, { maxLength: 40 }), (given) => {
        const predictor = new FailurePredictor();
        let now = 0;
        for (const { calls, share, waitMs } of given) {
          now += waitMs;
          predictor.update(calls, Math.floor(calls * share), now);
          expect(predictor.probability).toBeGreaterThanOrEqual(0);
          expect(predictor.probability).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});
