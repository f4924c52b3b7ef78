import { describe, expect, test } from 'vitest';
import type { TargetOptions } from '../config/schema.ts';
import type { HealingOptions } from '../healing.ts';
import type { IncidentReport } from '../telemetry/incidents.ts';
import { createTestHealing } from '../testing.ts';

function setup(defaults: TargetOptions = {}, more: HealingOptions = {}) {
  const { runtime, clock } = createTestHealing({
    defaults: { retry: { maxRetries: 2 }, ...defaults },
    ...more,
  });
  const target = runtime.target('upstream:a');
  let failing = 0;
  let sent = 0;
  return {
    runtime,
    clock,
    target,
    /** From here on this share of the calls fails. */
    failWith(share: number) {
      failing = share;
    },
    /** Ten calls a second. */
    async traffic(ms: number) {
      for (let left = ms; left > 0; left -= 100) {
        sent++;
        const fails = Math.floor(sent * failing) > Math.floor((sent - 1) * failing);
        await target.run<unknown>(() => ({ status: fails ? 500 : 200 })).catch(() => {});
        await clock.advance(100);
      }
    },
  };
}

/** The story without its times: `responded retry`, `verified retry`, ... */
const storyOf = (incident: IncidentReport | undefined) =>
  (incident?.timeline ?? [])
    .filter(({ what }) => what !== 'transition')
    .map(({ what, strategy }) => [what, strategy ?? ''].join(' ').trim());

describe('levels', () => {
  test('sporadic failures: observe, then one repeat more, then fallbacks first; undone in reverse', async () => {
    const world = setup();
    await world.traffic(2_000);
    world.failWith(0.25);
    await world.traffic(3_000);
    expect(storyOf(world.runtime.incidents()[0])).toEqual(['anomaly', 'responded observe']);
    await world.traffic(2_000);
    expect(world.target.settings.retry.maxRetries).toBe(3);
    expect(world.target.settings.recovery.preferFallback).toBe(false);
    await world.traffic(1_500);
    expect(world.target.settings.recovery.preferFallback).toBe(true);
    world.failWith(0);
    await world.traffic(6_000);
    const [incident] = world.runtime.incidents();
    expect(incident).toMatchObject({
      status: 'recovered',
      target: 'upstream:a',
      level: 2,
      anomaly: { kind: 'error-rate' },
    });
    expect(storyOf(incident)).toEqual([
      'anomaly',
      'responded observe',
      'unproven observe',
      'responded retry',
      'unproven retry',
      'responded degrade',
      'verified degrade',
      'undone degrade',
      'verified retry',
      'undone retry',
      'verified observe',
      'undone observe',
      'recovered',
    ]);
    expect(world.target.settings).toMatchObject({
      retry: { maxRetries: 2 },
      recovery: { preferFallback: false },
    });
    expect(world.target.status()).toMatchObject({ status: 'healthy', reasons: [] });
  });

  test('many failures: half the budget and longer waits', async () => {
    const world = setup({ circuit: { failureRate: 1, minimumCalls: 1_000, consecutiveFailures: 1_000 } });
    world.failWith(0.5);
    await world.traffic(6_000);
    expect(world.target.settings.retry).toMatchObject({ maxRetries: 2, budget: 0.1, baseDelayMs: 50 });
  });

  test('an open circuit is booked as isolation at once, and what is below is passed over', async () => {
    const world = setup({ circuit: { openMs: 60_000 } });
    world.failWith(1);
    await world.traffic(1_000);
    const [incident] = world.runtime.incidents();
    expect(incident).toMatchObject({ status: 'open', level: 4, anomaly: { severity: 1 } });
    expect(storyOf(incident)).toEqual(['anomaly', 'responded isolate']);
    expect(world.target.status()).toMatchObject({ status: 'critical', incidentId: incident?.id });
  });

  test('what lasts is told to a person, once; healing that has tried all has failed; health ends that too', async () => {
    const told: IncidentReport[] = [];
    const world = setup(
      { circuit: { openMs: 300, maxOpenMs: 300, rampMs: 0 }, recovery: { escalateAfterMs: 5_000 } },
      { notify: (incident) => void told.push(incident) },
    );
    const recovered: unknown[] = [];
    world.runtime.on('recovered', (event) => recovered.push(event));
    world.failWith(1);
    await world.traffic(4_500);
    expect(told).toEqual([]);
    await world.traffic(1_500);
    expect(told).toMatchObject([{ target: 'upstream:a', level: 6, status: 'open' }]);
    await world.traffic(4_000);
    expect(world.runtime.incidents()[0]).toMatchObject({ status: 'gave-up', endedAt: undefined });
    expect(world.target.status().status).toBe('failed');
    expect(world.runtime.status().status).toBe('failed');
    world.failWith(0);
    await world.traffic(8_000);
    const [incident] = world.runtime.incidents();
    expect(incident?.status).toBe('recovered');
    expect(storyOf(incident).slice(-6)).toEqual([
      'gave-up',
      'verified notify',
      'undone notify',
      'verified isolate',
      'undone isolate',
      'recovered',
    ]);
    expect(told).toHaveLength(1);
    const tookMs = (incident?.endedAt ?? 0) - (incident?.openedAt ?? 0);
    expect(recovered).toMatchObject([{ target: 'upstream:a', tookMs, incident: { status: 'recovered' } }]);
    expect(world.target.status().status).toBe('healthy');
  });

  test('the wall clock being set neither hurries an escalation nor puts it off', async () => {
    const told: unknown[] = [];
    const world = setup({ circuit: { openMs: 500 } }, { notify: (incident) => void told.push(incident) });
    world.failWith(1);
    await world.traffic(1_000);
    world.clock.skewWall(3_600_000);
    await world.traffic(4_000);
    expect(told).toEqual([]);
    world.clock.skewWall(-7_200_000);
    await world.traffic(8_000);
    expect(told).toHaveLength(1);
  });

  test('maxLevel bounds the climb', async () => {
    const told: unknown[] = [];
    const world = setup(
      { recovery: { maxLevel: 0, escalateAfterMs: 1_000 } },
      { notify: (incident) => void told.push(incident) },
    );
    world.failWith(0.3);
    await world.traffic(8_000);
    expect(world.runtime.incidents()[0]).toMatchObject({ level: 0, status: 'gave-up' });
    expect(told).toEqual([]);
    expect(world.target.settingsVersion).toBe(1);
  });

  test('a short trouble changes no settings: no version, no event', async () => {
    const world = setup();
    const settings: unknown[] = [];
    world.runtime.on('settings', (event) => settings.push(event));
    await world.traffic(1_000);
    world.failWith(0.5);
    await world.traffic(1_000);
    world.failWith(0);
    await world.traffic(5_000);
    expect(world.runtime.incidents()[0]).toMatchObject({ status: 'recovered', level: 0 });
    expect(settings).toEqual([]);
    expect(world.target.settingsVersion).toBe(1);
  });

  test('a forced circuit is no incident: a person has decided', async () => {
    const world = setup();
    await world.target.force('open');
    await world.traffic(5_000);
    expect(world.runtime.incidents()).toEqual([]);
  });
});

describe('anomalies', () => {
  test('slow calls are one of latency: no repeats are added, fallbacks come first', async () => {
    const world = setup({ circuit: { slowCallMs: 50 } });
    for (let i = 0; i < 60; i++) {
      const call = world.target.run(() => new Promise<void>((end) => world.clock.setTimer(end, 70)));
      await world.clock.advance(100);
      await call;
      if (world.target.state !== 'closed') break;
    }
    const [incident] = world.runtime.incidents();
    expect(incident?.anomaly.kind).toBe('latency');
    expect(storyOf(incident)).not.toContain('responded retry');
  });

  test('a full bulkhead is one of saturation', async () => {
    const world = setup({ policy: { concurrency: 10 } });
    for (let i = 0; i < 9; i++) world.target.acquire();
    await world.clock.advance(1_000);
    expect(world.runtime.incidents()[0]).toMatchObject({
      anomaly: { kind: 'saturation', evidence: { inFlight: 9, saturation: 0.9 } },
    });
  });

  test('few calls, or few failures among many, are none', async () => {
    const world = setup();
    world.failWith(0.05);
    await world.traffic(10_000);
    expect(world.runtime.incidents()).toEqual([]);
  });
});
