import { describe, expect, test } from 'vitest';
import { type Random, seededRandom } from '../time/random.ts';
import type { Anomaly } from './anomaly.ts';
import { AnomalyDetector } from './anomaly-detector.ts';
import type { HealthSample } from './health-sample.ts';

const STEP_MS = 500;
const CALM = 1_800;

function poisson(mean: number, random: Random): number {
  const floor = Math.exp(-mean);
  let count = -1;
  for (let product = 1; product > floor; count++) product *= random.next();
  return count;
}

/** A service with `rate` calls a second of about 40 ms, one in 200 of which fails. */
function healthy(rate: number, random: Random): HealthSample {
  const calls = poisson(rate * (STEP_MS / 1_000), random);
  let failures = 0;
  for (let i = 0; i < calls; i++) if (random.next() < 0.005) failures++;
  const timed = calls > 0;
  const p50 = timed ? 40 * Math.exp((random.next() - 0.5) / Math.sqrt(calls)) : undefined;
  const p95 = timed ? 100 * Math.exp((random.next() - 0.5) / Math.sqrt(calls)) : undefined;
  return { calls, failures, overloads: 0, slow: 0, hanging: 0, inFlight: Math.round(rate / 25), p50, p95 };
}

type Change = (sample: HealthSample, step: number) => HealthSample;

/** What is told at each step: calm, then `change` for a minute, then calm. */
function play(rate: number, change: Change, seed = 1, calm = CALM) {
  const detector = new AnomalyDetector();
  const random = seededRandom(seed);
  const told: (Anomaly | undefined)[] = [];
  for (let step = 0; step < calm + 240; step++) {
    const isFaulty = step >= calm && step < calm + 120;
    const sample = healthy(rate, random);
    told.push(detector.look(isFaulty ? change(sample, step - calm) : sample, step * STEP_MS));
  }
  const before = told.slice(0, calm).filter((anomaly) => anomaly !== undefined);
  const during = told.slice(calm, calm + 120);
  const after = told.slice(calm + 120);
  return { before, first: during.find((anomaly) => anomaly !== undefined), during, after };
}

const stepsUntil = (told: readonly (Anomaly | undefined)[], wrong: boolean) =>
  told.findIndex((anomaly) => (anomaly !== undefined) === wrong) + 1;

const failing =
  (share: number): Change =>
  (sample) => ({ ...sample, failures: Math.round(sample.calls * share) });
const slower =
  (factor: number): Change =>
  (sample) => ({ ...sample, p50: sample.p50 && sample.p50 * factor, p95: sample.p95 && sample.p95 * factor });

describe('AnomalyDetector', () => {
  test.each([
    ['error-rate', failing(0.5), 2],
    ['error-rate', failing(0.15), 4],
    ['latency', slower(3), 5],
    ['latency', slower(2), 14],
    ['latency', (sample: HealthSample) => ({ ...sample, p95: 1_000 }), 5],
    ['latency', (sample: HealthSample) => ({ ...sample, slow: sample.calls }), 2],
    [
      'hang',
      (sample: HealthSample, step: number) => ({ ...sample, hanging: 10 * step, inFlight: 10 * step }),
      5,
    ],
    [
      'throughput-drop',
      (sample: HealthSample) => ({ ...sample, calls: 0, p50: undefined, p95: undefined }),
      12,
    ],
  ] as const)('sees %s at 100 calls a second, and that it is over', (kind, change, within) => {
    for (let seed = 1; seed <= 5; seed++) {
      const { before, first, during, after } = play(100, change, seed);
      expect(before).toEqual([]);
      expect(first?.kind).toBe(kind);
      expect(first?.severity).toBeGreaterThan(0);
      expect(first?.severity).toBeLessThanOrEqual(1);
      expect(stepsUntil(during, true)).toBeLessThanOrEqual(within);
      expect(during.slice(within).every((anomaly) => anomaly !== undefined)).toBe(true);
      expect(stepsUntil(after, false)).toBeLessThanOrEqual(within + 6);
      expect(after.slice(within + 6).every((anomaly) => anomaly === undefined)).toBe(true);
    }
  });

  test('with a call a second one failure, one slow call, one that hangs and a silence are nothing', () => {
    const once: Change = (sample, step) => {
      if (step !== 20) return sample;
      return { ...sample, calls: 1, failures: 1, slow: 1, hanging: 1, p50: 9_000, p95: 9_000 };
    };
    const silent: Change = (sample, step) =>
      step < 20 ? { ...sample, calls: 0, p50: undefined, p95: undefined } : sample;
    for (const change of [once, silent]) {
      for (let seed = 1; seed <= 10; seed++) {
        const { before, during, after } = play(1, change, seed);
        expect([...before, ...during, ...after].filter((anomaly) => anomaly !== undefined)).toEqual([]);
      }
    }
  });

  test('with a call a second an outage is seen within fifteen seconds, and its end within twenty-five', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const { first, during, after } = play(1, failing(1), seed);
      expect(first?.kind).toMatch(/error-rate|trend/);
      expect(stepsUntil(during, true)).toBeLessThanOrEqual(30);
      expect(stepsUntil(after, false)).toBeLessThanOrEqual(50);
    }
  });

  test('a target that fails from its first call on is seen to', () => {
    const detector = new AnomalyDetector();
    const random = seededRandom(1);
    const told = Array.from({ length: 10 }, (_, step) =>
      detector.look(failing(0.5)(healthy(100, random), step), step * STEP_MS),
    );
    expect(stepsUntil(told, true)).toBeLessThanOrEqual(3);
  });

  test('failures that grow are told of as a trend or as themselves when a tenth of the calls fails', () => {
    const { during } = play(1_000, (sample, step) => failing(0.01 * step)(sample, step));
    expect(stepsUntil(during, true)).toBeLessThanOrEqual(12);
  });

  test('traffic that pauses by habit is no anomaly, and calls that were refused are traffic', () => {
    const pausing = new AnomalyDetector();
    const random = seededRandom(1);
    const wrong: number[] = [];
    for (let step = 0; step < 7_200; step++) {
      const sample = healthy(step % 240 < 120 ? 100 : 0.5, random);
      if (pausing.look(sample, step * STEP_MS) !== undefined) wrong.push(step);
    }
    expect(wrong).toEqual([]);
    const refused: Change = (sample) => ({
      ...sample,
      calls: 0,
      failures: 0,
      refused: sample.calls,
      p50: undefined,
      p95: undefined,
    });
    expect(play(100, refused).first).toBeUndefined();
  });

  test('a latency that stays is normal after ten minutes; failures never are', () => {
    const told = (change: Change) => {
      const detector = new AnomalyDetector();
      const random = seededRandom(3);
      return Array.from({ length: 3_000 }, (_, step) => {
        const sample = healthy(50, random);
        return detector.look(step < 300 ? sample : change(sample, step), step * STEP_MS);
      });
    };
    const slow = told(slower(3));
    expect(slow[1_400]?.kind).toBe('latency');
    expect(slow.at(-1)).toBeUndefined();
    expect(told(failing(0.3)).at(-1)?.kind).toBe('error-rate');
  });
});
