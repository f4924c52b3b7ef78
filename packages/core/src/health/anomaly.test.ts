import { describe, expect, test } from 'vitest';
import { resolveTarget } from '../config/settings.ts';
import { seededRandom } from '../time/random.ts';
import { detectByThreshold } from './anomaly.ts';
import { HealthMonitor } from './monitor.ts';

const settings = resolveTarget([], 'test').recovery;

/** Calls at an even rate, sampled as the control loop does; tells at which passes something was wrong. */
function watch(perSecond: number, seconds: number, failureRate: (at: number) => number, seed = 1): number[] {
  const monitor = new HealthMonitor();
  const random = seededRandom(seed);
  const passes: number[] = [];
  monitor.sample(0);
  for (let half = 1; half <= seconds * 2; half++) {
    for (let i = 0; i < perSecond / 2; i++) {
      const outcome = random.next() < failureRate(half / 2) ? 'failure' : 'success';
      monitor.record(outcome, 1, false, 1, half * 500);
    }
    if (detectByThreshold(monitor, 'closed', settings, half * 500)) passes.push(half / 2);
    monitor.sample(half * 500);
  }
  return passes;
}

describe('the error rate', () => {
  test.each([4, 10, 100])(
    'at %i calls a second, now and then a failure is no anomaly in an hour',
    (perSecond) => {
      expect(watch(perSecond, 3_600, () => 0.01)).toEqual([]);
    },
  );

  test('one failure among ten calls, all that there were, is none either', () => {
    const monitor = new HealthMonitor();
    monitor.sample(0);
    for (let i = 0; i < 10; i++) monitor.record(i < 1 ? 'failure' : 'success', 1, false, 1, 100);
    expect(detectByThreshold(monitor, 'closed', settings, 500)).toBeUndefined();
    for (let i = 0; i < 5; i++) monitor.record('failure', 1, false, 1, 100);
    expect(detectByThreshold(monitor, 'closed', settings, 500)).toMatchObject({
      kind: 'error-rate',
      severity: 6 / 15,
      evidence: { calls: 15, failureRate: 6 / 15 },
    });
  });

  test.each([
    [10, 1, 1],
    [10, 0.5, 1.5],
    [10, 0.25, 5],
    [100, 0.2, 2],
    [100, 0.15, 4],
    [2, 1, 4],
  ])('at %f calls a second, %f of them failing is seen within %f s', (perSecond, share, within) => {
    for (let seed = 1; seed <= 20; seed++) {
      const [first] = watch(perSecond, 60, (at) => (at > 30 ? share : 0), seed);
      expect(first).toBeGreaterThan(30);
      expect(first).toBeLessThanOrEqual(30 + within * 2);
    }
  });

  test('its end is seen within two seconds where there is traffic enough', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const last = watch(20, 40, (at) => (at <= 20 ? 0.5 : 0), seed).at(-1) as number;
      expect(last).toBeLessThanOrEqual(22);
    }
  });
});

test('slow calls, a full bulkhead and a circuit that is not closed are anomalies of their own', () => {
  const monitor = new HealthMonitor();
  monitor.sample(0);
  for (let i = 0; i < 20; i++) monitor.record('success', 900, i < 10, 1, 100);
  expect(detectByThreshold(monitor, 'closed', settings, 500)).toMatchObject({
    kind: 'latency',
    severity: 0.5,
  });
  expect(detectByThreshold(monitor, 'half-open', settings, 500)).toMatchObject({
    kind: 'latency',
    severity: 1,
  });
  const idle = new HealthMonitor();
  idle.concurrency = 10;
  idle.inFlight = 8;
  expect(detectByThreshold(idle, 'closed', settings, 500)).toBeUndefined();
  idle.inFlight = 12;
  expect(detectByThreshold(idle, 'closed', settings, 500)).toMatchObject({ kind: 'saturation', severity: 1 });
  expect(detectByThreshold(new HealthMonitor(), 'open', settings, 500)).toMatchObject({
    kind: 'error-rate',
    severity: 1,
  });
});
