import { describe, expect, test } from 'vitest';
import type { TargetOptions } from './config/schema.ts';
import { ClosedError, ConfigError } from './errors.ts';
import type { Permit } from './permit.ts';
import type { Target } from './target.ts';
import { createTestHealing } from './testing.ts';

function setup(defaults: TargetOptions = {}) {
  const { runtime, clock } = createTestHealing({ defaults });
  return { runtime, clock, target: runtime.target('upstream:queue') };
}

/** Workers that wait; each takes its permit as soon as it may. */
function workers(target: Target, count: number) {
  const permits: Permit[] = [];
  const refused: unknown[] = [];
  for (let i = 0; i < count; i++) {
    target.ready().then(
      () => {
        const permit = target.acquire();
        if (permit.ok) permits.push(permit);
        else refused.push(permit.reason);
      },
      (error) => refused.push(error),
    );
  }
  return { permits, refused };
}

async function open(target: Target): Promise<void> {
  for (let i = 0; i < 5; i++) await target.run(() => Promise.reject(new Error('no'))).catch(() => {});
  expect(target.state).toBe('open');
}

describe('ready', () => {
  test('is there at once while every call is admitted', async () => {
    const { target } = setup();
    await target.ready();
    expect(target.acquire().ok).toBe(true);
  });

  test.each([
    ['an open circuit', {}],
    ['a place each', { policy: { rate: { calls: 1_000_000 } } }],
  ])('costs the same for each of very many workers: %s', async (what, defaults) => {
    const { target } = setup(defaults);
    if (what === 'an open circuit') await target.force('open');
    const before = process.cpuUsage();
    for (let i = 0; i < 30_000; i++) target.ready();
    const { user, system } = process.cpuUsage(before);
    // Of its own time, however busy the machine is; looking through all that wait took it half a minute.
    expect((user + system) / 1_000).toBeLessThan(4_000);
  });

  test('of many workers a half-open circuit lets as many go as it has probes; the others wait on', async () => {
    const { target, clock } = setup({ circuit: { probes: 3, openMs: 1_000, maxOpenMs: 1_000 } });
    await open(target);
    const { permits, refused } = workers(target, 10);
    await clock.advance(500);
    expect(permits).toHaveLength(0);
    await clock.advance(800);
    expect(permits).toHaveLength(3);
    await clock.advance(200);
    expect(permits).toHaveLength(3);
    expect(target.monitor.inFlight).toBe(3);
    expect(refused).toEqual([]);
  });

  test('when the probes succeed the ramp lets the rest in, step by step, all in the end', async () => {
    const { target, clock } = setup({ circuit: { rampMs: 1_000 } });
    await open(target);
    const { permits, refused } = workers(target, 40);
    await clock.advance(1_300);
    for (const permit of permits) target.release(permit, 'success');
    await clock.advance(60);
    expect(permits.length).toBeGreaterThan(3);
    expect(permits.length).toBeLessThan(40);
    await clock.advance(1_500);
    expect(permits).toHaveLength(40);
    expect(refused).toEqual([]);
  });

  test('the place of one who does not come is given to the next after a second', async () => {
    const { target, clock } = setup({ circuit: { probes: 1, probeTimeoutMs: 60_000 }, timeoutMs: 60_000 });
    await target.force('open');
    await target.force(null);
    let gone = 0;
    for (let i = 0; i < 2; i++) target.ready().then(() => gone++);
    await clock.advance(100);
    expect(gone).toBe(1);
    await clock.advance(800);
    expect(gone).toBe(1);
    await clock.advance(200);
    expect(gone).toBe(2);
  });

  test('a place set aside is worth nothing once the circuit has opened, or was forced open', async () => {
    const { target, clock } = setup({ circuit: { rampMs: 10_000 } });
    await target.force('open');
    await target.force(null);
    for (let i = 0; i < 3; i++) {
      const permit = target.acquire();
      if (permit.ok) target.release(permit, 'success');
    }
    expect(target.state).toBe('closed');
    expect(target.breaker.plain).toBe(false);
    const waiting = target.ready();
    await clock.advance(500);
    await waiting;
    await target.force('open');
    expect(target.acquire().ok).toBe(false);
    expect(target.monitor.inFlight).toBe(0);
    await clock.advance(2_000);
    expect(target.acquire().ok).toBe(false);
  });

  test('waits for a place under the concurrency limit', async () => {
    const { target, clock } = setup({ policy: { concurrency: 2 } });
    const { permits, refused } = workers(target, 5);
    await clock.advance(100);
    expect(permits).toHaveLength(2);
    target.release(permits[0] as Permit, 'success');
    await clock.advance(100);
    expect(permits).toHaveLength(3);
    expect(target.monitor.inFlight).toBe(2);
    expect(refused).toEqual([]);
  });

  test('waits for the rate, and does not pay for its place twice', async () => {
    const { target, clock } = setup({ policy: { rate: { calls: 2, perMs: 1_000 } } });
    const { permits, refused } = workers(target, 5);
    await clock.advance(40);
    expect(permits).toHaveLength(2);
    await clock.advance(1_000);
    expect(permits).toHaveLength(4);
    await clock.advance(600);
    expect(permits).toHaveLength(5);
    expect(refused).toEqual([]);
  });

  test('waits until a denial is lifted', async () => {
    const { target, clock } = setup();
    target.update({ policy: { deny: 'maintenance' } });
    const { permits, refused } = workers(target, 1);
    await clock.advance(5_000);
    expect(permits).toHaveLength(0);
    target.update({ policy: { deny: null } });
    await clock.advance(40);
    expect(permits).toHaveLength(1);
    expect(refused).toEqual([]);
  });

  test('rejects with the reason of its signal, before and while it waits, and leaves nothing behind', async () => {
    const { target, clock } = setup();
    const reason = new Error('shutting down');
    await expect(target.ready({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await target.force('open');
    const controller = new AbortController();
    const waiting = target.ready({ signal: controller.signal });
    await clock.advance(100);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await clock.advance(40_000);
    expect(clock.pending).toBe(0);
  });

  test('sends whoever waits away when the runtime closes', async () => {
    const { runtime, target } = setup();
    await target.force('open');
    const waiting = target.ready();
    await runtime.close();
    await expect(waiting).rejects.toBeInstanceOf(ClosedError);
  });

  test('what is no signal is a ConfigError', async () => {
    await expect(setup().target.ready({ signal: {} as never })).rejects.toBeInstanceOf(ConfigError);
  });
});

describe('a rejection', () => {
  test('is a value that knows its target, its reason and the incident, and makes an error without a stack', async () => {
    const { runtime, target, clock } = setup();
    await open(target);
    await clock.advance(40);
    const rejection = target.acquire();
    if (rejection.ok) throw new Error('it was let in');
    expect(rejection).toMatchObject({ reason: 'circuit-open', status: 503 });
    expect(rejection.retryAfterMs).toBeGreaterThan(0);
    const error = rejection.toError();
    const [incident] = runtime.incidents();
    expect(error).toMatchObject({
      target: 'upstream:queue',
      incidentId: incident?.id,
      code: 'HEALIX_CIRCUIT_OPEN',
    });
    expect(error.retryAfterMs).toBe(rejection.retryAfterMs);
    expect(error.stack).not.toContain('    at ');
  });
});
