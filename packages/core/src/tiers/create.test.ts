import { describe, expect, test } from 'vitest';
import { CircuitBreaker } from '../circuit/breaker.ts';
import type { TargetOptions } from '../config/schema.ts';
import { resolveTarget } from '../config/settings.ts';
import { ConfigError } from '../errors.ts';
import { HealthMonitor } from '../health/monitor.ts';
import type { IncidentReport } from '../telemetry/incidents.ts';
import { VirtualClock } from '../time/virtual-clock.ts';
import { createSelfHealing } from './create.ts';

function setup(settings: TargetOptions = {}) {
  const clock = new VirtualClock();
  const breaker = new CircuitBreaker({ rampMs: 0 }, { clock, random: { next: () => 0.5 } });
  const monitor = new HealthMonitor();
  const overlays = new Map<string, TargetOptions>();
  const told: IncidentReport[] = [];
  const healing = createSelfHealing(
    'basic',
    {
      name: 'upstream:alone',
      breaker,
      monitor,
      clock,
      overlay: (key, options) => {
        if (options) overlays.set(key, options);
        else overlays.delete(key);
      },
      notify: (incident) => void told.push(incident),
    },
    settings,
  );
  const call = (well: boolean) => {
    const token = breaker.tryAcquire();
    if (token === 0) return;
    breaker.record(token, well ? 'success' : 'failure');
    monitor.record(well ? 'success' : 'failure', 1, false, 1, clock.now());
  };
  return { clock, breaker, monitor, overlays, told, healing, call };
}

describe('healing without a runtime: the six methods', () => {
  test('from the anomaly to what was learned', async () => {
    const { clock, breaker, monitor, healing, call } = setup();
    const settings = resolveTarget([], 'test');
    const context = () => ({
      target: 'upstream:alone',
      now: clock.now(),
      circuit: breaker.state,
      health: monitor.snapshot(clock.now()),
      settings,
    });
    monitor.sample(clock.now());
    expect(healing.detectAnomaly(context())).toEqual({ detected: false, anomaly: undefined });
    expect(healing.getHealthStatus()).toEqual({ status: 'healthy', reasons: [] });

    for (let i = 0; i < 5; i++) call(false);
    const { detected, anomaly } = healing.detectAnomaly(context());
    expect(detected).toBe(true);
    if (anomaly === undefined) throw new Error('no anomaly');
    const response = healing.selectResponse(anomaly);
    expect(response).toEqual({ anomaly, strategy: 'isolate', level: 4 });
    expect(await healing.applyResponse(response)).toEqual({ applied: true, response });
    expect(healing.selectResponse(anomaly).strategy).toBeUndefined();
    expect(healing.getHealthStatus()).toMatchObject({ status: 'critical' });
    expect(healing.verifyRecovery(context())).toEqual({ recovered: false, healthy: false, level: 4 });

    clock.advanceSync(2_000);
    for (let i = 0; i < 20; i++) call(true);
    expect(breaker.state).toBe('closed');
    monitor.sample(clock.now());
    clock.advanceSync(500);
    for (let i = 0; i < 20; i++) call(true);
    clock.advanceSync(12_000);
    expect(healing.verifyRecovery(context())).toEqual({ recovered: false, healthy: true, level: 4 });
    clock.advanceSync(1_000);
    expect(healing.verifyRecovery(context())).toEqual({ recovered: true, healthy: true, level: undefined });
    expect(healing.getHealthStatus()).toEqual({ status: 'healthy', reasons: [] });
    const incident = { anomaly, timeline: [] } as unknown as IncidentReport;
    expect(() => healing.learnFromIncident(incident)).not.toThrow();
  });

  test('a response without a strategy, or with an unknown one, is not applied', async () => {
    const { healing } = setup();
    const anomaly = { kind: 'error-rate', severity: 1, evidence: {} } as const;
    for (const strategy of [undefined, 'unknown']) {
      const response = { anomaly, strategy, level: 0 as const };
      expect(await healing.applyResponse(response)).toEqual({ applied: false, response });
    }
  });

  test('a breaker alone is enough', () => {
    const breaker = new CircuitBreaker();
    const healing = createSelfHealing('basic', { name: 'upstream:a', breaker });
    breaker.force('open');
    expect(healing.getHealthStatus()).toMatchObject({ status: 'critical' });
  });
});

test.each<[string, unknown[]]>([
  ['tier', ['full', { name: 'a', breaker: new CircuitBreaker() }]],
  ['tier', ['toString', { name: 'a', breaker: new CircuitBreaker() }]],
  ['parts.name', ['basic', undefined]],
  ['parts.name', ['basic', { breaker: new CircuitBreaker() }]],
  ['parts.breaker', ['basic', { name: 'a' }]],
  ['settings.timeoutMs', ['basic', { name: 'a', breaker: new CircuitBreaker() }, { timeoutMs: 'x' }]],
])('bad input: %s', (path, args) => {
  const make = () => (createSelfHealing as (...args: unknown[]) => unknown)(...args);
  expect(make).toThrow(ConfigError);
  expect(make).toThrow(expect.objectContaining({ path }));
});
