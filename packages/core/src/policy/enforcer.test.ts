import { describe, expect, test } from 'vitest';
import type { PolicyOptions } from '../config/schema.ts';
import { OverloadError, PolicyError, RateLimitError } from '../errors.ts';
import { createTestHealing } from '../testing.ts';
import { PolicyEnforcer } from './enforcer.ts';

const enforcer = (policy: PolicyOptions) => new PolicyEnforcer(policy, 0);

function setup(policy: PolicyOptions, circuit = {}) {
  const { runtime, clock } = createTestHealing({ defaults: { policy, circuit, retry: { maxRetries: 0 } } });
  return { runtime, clock, target: runtime.target('upstream:a') };
}

describe('a verdict', () => {
  test('is allow, allow but not twice, or deny', () => {
    const policy = enforcer({});
    expect(policy.admitsAll).toBe(true);
    expect(policy.check({ method: 'GET' }, 0, 0)).toEqual({ kind: 'allow' });
    expect(policy.check({ method: 'POST' }, 0, 0)).toEqual({ kind: 'constrained', maxRetries: 0 });
    expect(policy.check({ method: 'POST', idempotencyKey: true }, 0, 0)).toEqual({ kind: 'allow' });
    expect(policy.check({}, 0, 0)).toEqual({ kind: 'constrained', maxRetries: 0 });
    expect(enforcer({ deny: 'no' }).check({}, 0, 0)).toMatchObject({
      kind: 'deny',
      reason: 'policy',
      detail: 'no',
    });
  });

  test('methods are compared without regard to case', () => {
    const policy = enforcer({ denyMethods: ['DELETE'] });
    for (const method of ['DELETE', 'delete', 'Delete']) {
      expect(policy.check({ method }, 0, 0)).toMatchObject({ kind: 'deny', detail: 'DELETE is not allowed' });
    }
    expect(policy.check({ method: 'GET' }, 0, 0).kind).toBe('allow');
    expect(policy.check({}, 0, 0).kind).toBe('constrained');
  });

  test('a denied operation does not use up the rate', () => {
    const policy = enforcer({ denyMethods: ['POST'], rate: { calls: 1 } });
    expect(policy.check({ method: 'POST' }, 0, 0).kind).toBe('deny');
    expect(policy.check({ method: 'GET' }, 0, 0).kind).toBe('allow');
    expect(policy.check({ method: 'GET' }, 0, 0)).toMatchObject({ kind: 'deny', reason: 'rate' });
  });
});

describe('what callers see', () => {
  test('deny and denyMethods: a PolicyError with the reason', async () => {
    const { target } = setup({ denyMethods: ['POST'], denyStatus: 405 });
    await expect(target.run(() => 1, { method: 'POST' })).rejects.toThrow(PolicyError);
    expect(target.acquire({ method: 'POST' })).toMatchObject({ ok: false, reason: 'policy', status: 405 });
    expect(await target.run(() => 1, { method: 'GET' })).toBe(1);
    target.update({ policy: { deny: 'moved to v2' } });
    await expect(target.run(() => 1)).rejects.toThrow('upstream:a: moved to v2');
    expect(target.status().counts).toMatchObject({ refused: 3, success: 1, failure: 0 });
  });

  test('concurrency: an OverloadError for more calls in flight, run and acquire alike', async () => {
    const { target } = setup({ concurrency: 2 });
    const first = target.acquire();
    const ends: (() => void)[] = [];
    const second = target.run(() => new Promise<void>((end) => ends.push(end)));
    await expect(target.run(() => 1)).rejects.toThrow(OverloadError);
    expect(target.acquire()).toMatchObject({ ok: false, reason: 'concurrency' });
    ends[0]?.();
    await second;
    expect(await target.run(() => 1)).toBe(1);
    if (first.ok) target.release(first, 'success');
    expect(target.status()).toMatchObject({ inFlight: 0, limit: 2 });
  });

  test('rate: a RateLimitError that says when; then it goes on', async () => {
    const { target, clock } = setup({ rate: { calls: 2, perMs: 1_000 } });
    for (let i = 0; i < 2; i++) await target.run(() => 1);
    const error = await target.run(() => 1).catch((error) => error);
    expect(error).toBeInstanceOf(RateLimitError);
    expect(error.retryAfterMs).toBeCloseTo(500);
    await clock.advance(480);
    await expect(target.run(() => 1)).rejects.toThrow(RateLimitError);
    await clock.advance(40);
    expect(await target.run(() => 1)).toBe(1);
  });

  test('refusals say nothing of the target: the circuit stays closed', async () => {
    const { target } = setup({ deny: 'no' });
    for (let i = 0; i < 100; i++) await target.run(() => 1).catch(() => {});
    expect(target.state).toBe('closed');
  });

  test('a refused repeat leaves no reason behind for the next refusal', async () => {
    const { target, clock } = setup({ rate: { calls: 1, perMs: 60_000 } });
    target.update({ retry: { maxRetries: 1 } });
    const call = target.run(() => ({ status: 500 }), { idempotent: true });
    await clock.advance(500);
    expect(await call).toEqual({ status: 500 });
    await target.force('open');
    target.update({ policy: { rate: { calls: 1_000, perMs: 1 } } });
    expect(target.acquire()).toMatchObject({ ok: false, reason: 'circuit-open' });
  });

  test('another rate keeps what was spent, and leaves no debt', async () => {
    const { target, clock } = setup({ rate: { calls: 10, perMs: 10_000 } });
    const burst = async () => {
      let admitted = 0;
      for (let i = 0; i < 30; i++) if (target.acquire().ok) admitted++;
      return admitted;
    };
    expect(await burst()).toBe(10);
    target.update({ policy: { rate: { calls: 11, perMs: 10_000 } } });
    expect(await burst()).toBe(1);
    target.update({ policy: { rate: { calls: 2, perMs: 1_000 } } });
    expect(await burst()).toBe(0);
    await clock.advance(500);
    expect(await burst()).toBe(1);
  });

  test('a rate that is updated to the same keeps its count', async () => {
    const { target } = setup({ rate: { calls: 1, perMs: 60_000 } });
    await target.run(() => 1);
    target.update({ timeoutMs: 5 });
    await expect(target.run(() => 1)).rejects.toThrow(RateLimitError);
    target.update({ policy: { rate: { calls: 2 } } });
    expect(await target.run(() => 1)).toBe(1);
  });
});

describe('neverOpen', () => {
  const fail = () => ({ status: 500 });

  test('the circuit stays closed whatever fails; without it the same opens it', async () => {
    const { target, runtime } = setup({ neverOpen: true });
    const other = runtime.target('upstream:b', { policy: { neverOpen: false } });
    for (let i = 0; i < 100; i++) {
      await target.run(fail);
      await other.run(fail).catch(() => {});
    }
    expect([target.state, other.state]).toEqual(['closed', 'open']);
    expect(target.status().counts).toMatchObject({ failure: 100, refused: 0 });
    expect(target.breaker.countsAt(target.time.now).failures).toBe(100);
  });

  test('a person may still open it, and giving it back closes it', async () => {
    const { target } = setup({ neverOpen: true });
    await target.force('open');
    expect(target.acquire().ok).toBe(false);
    await target.force(null);
    expect(target.state).toBe('closed');
  });

  test('set while the circuit is open it closes it; taken back, the circuit may open again', async () => {
    const { target, runtime } = setup({});
    const reasons: string[] = [];
    runtime.on('transition', ({ reason }) => reasons.push(reason));
    for (let i = 0; i < 5; i++) await target.run(fail);
    expect(target.state).toBe('open');
    target.update({ policy: { neverOpen: true } });
    expect(target.state).toBe('closed');
    for (let i = 0; i < 30; i++) await target.run(fail);
    expect(target.state).toBe('closed');
    target.update({ policy: { neverOpen: false } });
    await target.run(fail);
    expect(target.state).toBe('open');
    expect(reasons).toEqual(['consecutive-failures', 'never-open', 'failure-rate']);
  });
});

describe('exempt', () => {
  test('measured, never refused, never cut short or repeated, in no limit', async () => {
    const { runtime, clock } = createTestHealing();
    const target = runtime.target('route:GET /health', {
      exempt: true,
      timeoutMs: 50,
      policy: { deny: 'no', concurrency: 1, rate: { calls: 1 } },
    });
    const slow = target.run(() => new Promise((end) => clock.setTimer(() => end('slow'), 500)));
    let attempts = 0;
    for (let i = 0; i < 50; i++) {
      await target.run(
        () => {
          attempts++;
          return { status: 500 };
        },
        { idempotent: true, fallback: () => 'unwanted' as never },
      );
    }
    await target.force('open');
    expect(target.acquire().ok).toBe(true);
    await clock.advance(600);
    expect(await slow).toBe('slow');
    expect(attempts).toBe(50);
    expect(target.status().counts).toMatchObject({
      failure: 50,
      success: 1,
      refused: 0,
      retries: 0,
      fallbacks: 0,
    });
    await expect(target.ready()).resolves.toBeUndefined();
  });
});
