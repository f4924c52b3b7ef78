import { expect, test } from 'vitest';
import { HealthSampler } from './health-sampler.ts';
import { HealthMonitor } from './monitor.ts';

test('tells what came since it was last asked, and nothing of what was before it', () => {
  const monitor = new HealthMonitor();
  monitor.record('failure', 5, true, 1, 0);
  const sampler = new HealthSampler(monitor);
  monitor.inFlight = 3;
  monitor.refused = 2;
  monitor.record('success', 10, false, 1, 100);
  monitor.record('success', 10, true, 1, 100);
  monitor.record('failure', 10, false, 1, 100);
  monitor.record('overload', 10, false, 1, 100);
  monitor.record('ignored', 10, false, 1, 100);
  expect(sampler.take(1, 500)).toMatchObject({
    calls: 4,
    failures: 1,
    overloads: 1,
    slow: 1,
    hanging: 1,
    inFlight: 3,
    refused: 2,
  });
  expect(sampler.take(0, 1_000)).toEqual({
    calls: 0,
    failures: 0,
    overloads: 0,
    slow: 0,
    hanging: 0,
    inFlight: 3,
    refused: 0,
    p50: undefined,
    p95: undefined,
  });
});

test("quantiles are the interval's own, though the monitor's are of ten seconds", () => {
  const monitor = new HealthMonitor();
  const sampler = new HealthSampler(monitor);
  for (let interval = 1; interval <= 60; interval++) {
    for (let i = 0; i < 20; i++)
      monitor.record('success', interval * (i < 18 ? 1 : 10), false, 1, interval * 500);
    const { p50, p95 } = sampler.take(0, interval * 500);
    expect(p50).toBeGreaterThan(interval * 0.94);
    expect(p50).toBeLessThan(interval * 1.07);
    expect(p95).toBeGreaterThan(interval * 9.4);
    expect(p95).toBeLessThan(interval * 10.7);
  }
});
