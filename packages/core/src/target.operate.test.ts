import { describe, expect, test } from 'vitest';
import { ConfigError } from './errors.ts';
import type { TargetOptions } from './index.ts';
import type { SettingsEvent, TransitionEvent } from './telemetry/events.ts';
import { createTestHealing } from './testing.ts';

function setup(defaults: TargetOptions = {}) {
  const { runtime, clock } = createTestHealing({ defaults: { retry: { maxRetries: 0 }, ...defaults } });
  const transitions: TransitionEvent[] = [];
  const settings: SettingsEvent[] = [];
  runtime.on('transition', (event) => transitions.push(event));
  runtime.on('settings', (event) => settings.push(event));
  return { runtime, clock, target: runtime.target('upstream:a'), transitions, settings };
}

const fail = () => ({ status: 500 });

describe('force', () => {
  test('open: at once, whatever happens, until it is given back; then it is tried', async () => {
    const { target, clock, transitions } = setup();
    const forced = target.force('open', { reason: 'maintenance of the database' });
    expect(target.acquire().ok).toBe(false);
    expect(await forced).toEqual({ scope: 'process' });
    await clock.advance(3_600_000);
    expect(target.acquire().ok).toBe(false);
    expect(target.status()).toMatchObject({ state: 'open', forced: 'open', status: 'critical' });
    expect(target.status().reasons).toContain('the circuit is forced open: maintenance of the database');
    expect(transitions).toMatchObject([
      {
        from: 'closed',
        to: 'open',
        reason: 'forced',
        detail: 'maintenance of the database',
        observed: false,
      },
    ]);
    await target.force(null);
    expect(target.state).toBe('half-open');
    for (let i = 0; i < 2; i++) await target.run(() => 1);
    expect(target.state).toBe('closed');
  });

  test('closed: failures do not open it; lifted, it starts with a clean window', async () => {
    const { target } = setup();
    await target.force('closed');
    for (let i = 0; i < 100; i++) await target.run(fail);
    expect(target.status()).toMatchObject({ state: 'closed', forced: 'closed', counts: { refused: 0 } });
    await target.force(null);
    for (let i = 0; i < 4; i++) await target.run(fail);
    expect(target.state).toBe('closed');
    await target.run(fail);
    expect(target.state).toBe('open');
  });

  test('the outcome of a call from before does not undo it', async () => {
    const { target } = setup();
    const permits = Array.from({ length: 10 }, () => target.acquire());
    await target.force('open');
    for (const permit of permits) if (permit.ok) target.release(permit, 'success');
    expect(target.state).toBe('open');
  });

  test('anything else is a ConfigError, and changes nothing', async () => {
    const { target } = setup();
    for (const wrong of ['half-open', undefined, true, {}]) {
      await expect(target.force(wrong as never)).rejects.toBeInstanceOf(ConfigError);
    }
    expect(target.breaker.forced).toBeNull();
  });
});

describe('update', () => {
  test('state and counters are kept; the change is a version, and told', async () => {
    const { target, clock, settings } = setup();
    for (let i = 0; i < 4; i++) await target.run(fail);
    target.update({ circuit: { openMs: 2_000 } });
    expect(target.settingsVersion).toBe(2);
    expect(settings).toMatchObject([
      { target: 'upstream:a', version: 2, author: 'user', change: { circuit: { openMs: 2_000 } } },
    ]);
    expect(target.status().counts.failure).toBe(4);
    await target.run(fail);
    expect(target.state).toBe('open');
    target.update({ circuit: { openMs: 1 } });
    await clock.advance(1_400);
    expect(target.state).toBe('open');
    await clock.advance(1_200);
    expect(target.state).toBe('half-open');
  });

  test('updates add up, and are in force at once for run, policy and budget', async () => {
    const { target } = setup();
    target.update({ policy: { concurrency: 1 } });
    target.update({ timeoutMs: 5, retry: { maxRetries: 1, budgetPerSecond: 0, budget: 0 } });
    expect(target.settings).toMatchObject({ timeoutMs: 5, policy: { concurrency: 1 } });
    expect(target.budget?.available()).toBe(0);
    target.update({ retry: { budgetPerSecond: 2 } });
    expect(target.budget?.available()).toBe(20);
    const held = target.acquire();
    expect(target.acquire()).toMatchObject({ ok: false, reason: 'concurrency' });
    target.update({ policy: { concurrency: undefined } });
    expect(target.settings.policy.concurrency).toBe(1);
    if (held.ok) target.release(held, 'success');
  });

  test('null takes an earlier update back, never what was configured', () => {
    const { target } = setup();
    const configured = target.settings;
    target.update({ policy: { deny: 'maintenance', concurrency: 3 }, timeoutMs: 5 });
    expect(target.acquire()).toMatchObject({ ok: false, reason: 'policy' });
    target.update({ policy: { deny: null }, timeoutMs: null });
    expect(target.settings).toMatchObject({ timeoutMs: 10_000, policy: { concurrency: 3 } });
    target.update({ policy: null });
    expect(target.settings).toEqual(configured);
  });

  test('what is wrong changes nothing and makes no version', () => {
    const { target, settings } = setup();
    for (const wrong of [
      null,
      5,
      { timeoutMs: -1 },
      { circiut: {} },
      { circuit: { openMs: 9, maxOpenMs: 1 } },
    ]) {
      expect(() => target.update(wrong as never)).toThrow(ConfigError);
    }
    expect(target.settingsVersion).toBe(1);
    expect(settings).toEqual([]);
  });
});

describe('precedence', () => {
  test('default < match, the more specific the stronger < exact < per route < update < overlay', () => {
    const { runtime } = createTestHealing({
      defaults: { timeoutMs: 1, deadlineMs: 1, retry: { maxRetries: 1 } },
      targets: {
        'upstream:a/b/c': { circuit: { probes: 4 } },
        deep: { match: 'upstream:a/b/*', timeoutMs: 3, deadlineMs: 3 },
        wide: { match: 'upstream:a/**', timeoutMs: 2, deadlineMs: 2, circuit: { probes: 2, openMs: 2 } },
      },
    });
    const target = runtime.target('upstream:a/b/c');
    expect(target.settings).toMatchObject({
      timeoutMs: 3,
      deadlineMs: 3,
      circuit: { probes: 4, openMs: 2 },
      retry: { maxRetries: 1 },
    });
    target.overlay('x', { timeoutMs: 7 });
    target.update({ timeoutMs: 6, circuit: { probes: 6 } });
    runtime.target('upstream:a/b/c', { timeoutMs: 5, circuit: { probes: 5, openMs: 5 } });
    expect(target.settings).toMatchObject({ timeoutMs: 7, circuit: { probes: 6, openMs: 5 } });
    target.overlay('x', undefined);
    expect(target.settings.timeoutMs).toBe(6);
    expect(runtime.target('upstream:a').settings).toMatchObject({ timeoutMs: 1 });
    expect(runtime.target('upstream:a/x').settings).toMatchObject({ timeoutMs: 2 });
  });

  test('the options of a route again, though written anew, are no change', () => {
    const { runtime, settings } = setup();
    for (let i = 0; i < 5; i++)
      runtime.target('upstream:a', { timeoutMs: 300, policy: { denyMethods: ['PUT'] } });
    expect(settings).toHaveLength(1);
    runtime.target('upstream:a');
    expect(runtime.target('upstream:a').settings.timeoutMs).toBe(300);
    runtime.target('upstream:a', { timeoutMs: 301 });
    expect(settings.map(({ version }) => version)).toEqual([2, 3]);
  });

  test('an overlay that holds nothing is taken back without a version or an event', () => {
    const { target, settings } = setup();
    target.overlay('retry', undefined);
    expect(settings).toEqual([]);
    target.overlay('retry', { timeoutMs: 5 });
    target.overlay('retry', undefined);
    target.overlay('retry', undefined);
    expect(settings.map(({ author, change }) => ({ author, change }))).toEqual([
      { author: 'recovery', change: { retry: { timeoutMs: 5 } } },
      { author: 'recovery', change: { retry: null } },
    ]);
  });
});

describe('record', () => {
  test('the last value of each of its own signals is part of the health', () => {
    const { target } = setup();
    target.record('queue-depth', 812);
    target.record('queue-depth', 7);
    target.record('lag', -0.5);
    expect(target.status().signals).toEqual({ 'queue-depth': 7, lag: -0.5 });
    expect(target.monitor.snapshot(target.time.now).signals).toEqual({ 'queue-depth': 7, lag: -0.5 });
  });

  test.each([
    ['queue-depth', Number.NaN],
    ['queue-depth', Number.POSITIVE_INFINITY],
    ['queue-depth', '5'],
    ['', 5],
    [undefined, 5],
  ])('%j, %j is a ConfigError', (name, value) => {
    const { target } = setup();
    expect(() => target.record(name as never, value as never)).toThrow(ConfigError);
    expect(target.status().signals).toEqual({});
  });

  test('names are bounded: what is past the bound is told of, and harms nobody', () => {
    const { target, runtime } = setup();
    for (let i = 0; i < 150; i++) target.record(`signal ${i}`, i);
    target.record('signal 5', 500);
    expect(Object.keys(target.status().signals)).toHaveLength(100);
    expect(target.status().signals['signal 5']).toBe(500);
    expect(runtime.status().callbackErrors).toMatchObject([{ callback: 'record', count: 50 }]);
  });
});

test('a time limit that is taken back no longer bounds what a probe may take', async () => {
  const { runtime, clock } = setup({ circuit: { probes: 1 } });
  const target = runtime.target('route:GET /a');
  target.update({ timeoutMs: 500 });
  target.update({ timeoutMs: null });
  for (let i = 0; i < 5; i++) await target.run(fail);
  for (let trial = 0; trial < 4; trial++) {
    await clock.advance(2_000);
    await target.run(fail);
  }
  expect(target.breaker.probeLimitMs).toBe(16_000);
});

test('a target that is exempted amid an incident is closed, and recovers', async () => {
  const { target, clock, runtime } = setup();
  for (let i = 0; i < 6; i++) {
    await target.run(fail).catch(() => {});
    await clock.advance(50);
  }
  target.update({ exempt: true });
  expect(target.state).toBe('closed');
  for (let i = 0; i < 600; i++) {
    await target.run(() => 1);
    await clock.advance(50);
  }
  expect([runtime.status().status, runtime.incidents()[0]?.status]).toEqual(['healthy', 'recovered']);
});
