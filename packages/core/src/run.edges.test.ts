import { describe, expect, test } from 'vitest';
import type { TargetOptions } from './config/schema.ts';
import { createTestHealing } from './testing.ts';

function setup(defaults: TargetOptions = {}, mode: 'heal' | 'observe' = 'heal') {
  const { runtime, clock } = createTestHealing({ defaults, mode });
  return { runtime, clock, target: runtime.target('upstream:a') };
}

const never = () => new Promise<never>(() => {});
const failure = new Error('no');
const fail = async () => {
  throw failure;
};

test.each([{ method: 5 }, { idempotent: 'false' }, { idempotencyKey: 1 }])(
  'options of the wrong kind are a ConfigError before anything is called: %j',
  async (options) => {
    const { target } = setup();
    await expect(target.run(fail, options as never)).rejects.toMatchObject({ code: 'HEALIX_CONFIG' });
    expect(target.status().counts.failure).toBe(0);
  },
);

test('something that is no outcome cannot be released, and what is does so after it', () => {
  const { target } = setup();
  const permit = target.acquire();
  if (!permit.ok) throw permit.toError();
  expect(() => target.release(permit, 'Failure' as never)).toThrow("'failure'");
  target.release(permit, 'failure');
  expect(target.status().counts).toMatchObject({ failure: 1, ignored: 0 });
});

describe('a fallback', () => {
  test.each([
    ['has no more time than its call', 5_000, 5_000],
    ['has a second where its call has less', 200, 1_000],
  ])('%s', async (_what, deadlineMs, lastsMs) => {
    const { target, clock } = setup({ deadlineMs });
    let end: unknown;
    target.run<unknown>(fail, { fallback: never }).catch((error) => {
      end = error;
    });
    await clock.advance(lastsMs - 20);
    expect(end).toBeUndefined();
    await clock.advance(60);
    expect(end).toBe(failure);
  });

  test.each([
    ['deadlineMs', { deadlineMs: 300 }],
    ['timeoutMs', { timeoutMs: 300 }],
    ['both', { deadlineMs: 300, timeoutMs: 300 }],
    ['a deadline that had passed before', { deadlineMs: 0 }],
  ])('that takes its time answers for a call that is out of time: %s', async (_what, limits) => {
    const { target, clock } = setup();
    const fallback = () => new Promise<string>((resolve) => clock.setTimer(() => resolve('cached'), 30));
    const call = target.run<string>(never, { ...limits, fallback });
    await clock.advance(400);
    expect(await call).toBe('cached');
  });

  test('ends when the caller gives up', async () => {
    const { target } = setup();
    const caller = new AbortController();
    const call = target
      .run<unknown>(fail, { fallback: never, signal: caller.signal })
      .catch((error) => error);
    await new Promise(setImmediate);
    caller.abort('enough');
    expect(await call).toBe('enough');
  });

  test('answers for a refusal of a target further in, which is no failure of this one', async () => {
    const { runtime, target } = setup();
    const inner = runtime.target('upstream:inner');
    await inner.force('open');
    expect(await target.run<string>(() => inner.run(() => 'real'), { fallback: () => 'spare' })).toBe(
      'spare',
    );
    expect(target.status().counts).toMatchObject({ failure: 0, ignored: 1, fallbacks: 1 });
  });
});

test('a thenable that resolves with a thenable ends when that one does', async () => {
  const { target, clock } = setup({ timeoutMs: 100 });
  const thenable = (then: unknown) => ({ then }) as PromiseLike<unknown>;
  const inner = thenable((_: unknown, no: (error: Error) => void) => no(failure));
  await expect(target.run(() => thenable((ok: (value: unknown) => void) => ok(inner)))).rejects.toBe(failure);
  const hung = target.run(() => thenable((ok: (value: unknown) => void) => ok(thenable(() => {}))));
  const ended = hung.catch((error) => error.code);
  await clock.advance(150);
  expect(await ended).toBe('HEALIX_DEADLINE');
  expect(target.status()).toMatchObject({ inFlight: 0, counts: { success: 0, failure: 2 } });
});

test('observe mode opens its shadow circuit for calls that it would have cut short', async () => {
  const { target, clock } = setup({ timeoutMs: 100, retry: { maxRetries: 1 } }, 'observe');
  const slow = () => new Promise((resolve) => clock.setTimer(() => resolve('slow'), 300));
  for (let i = 0; i < 5; i++) {
    const call = target.run(slow);
    await clock.advance(320);
    expect(await call).toBe('slow');
  }
  expect(target.state).toBe('open');
  await target.run(fail, { idempotent: true, fallback: () => 'spare' }).catch(() => {});
  expect(target.wouldHave).toMatchObject({ timedOut: 5, failure: 1, repeated: 0, replaced: 1 });
});

test('a refusal says why: forced with a reason, or while traffic is let back in', async () => {
  const { target, clock } = setup({ circuit: { rampMs: 1_000 } });
  await target.force('open', { reason: 'ticket 42' });
  expect(target.acquire()).toMatchObject({ detail: 'the circuit is forced open: ticket 42' });
  await target.force(null);
  for (let i = 0; i < 2; i++) {
    const probe = target.acquire();
    if (probe.ok) target.release(probe, 'success');
  }
  await clock.advance(100);
  const ramped = Array.from({ length: 5 }, () => target.acquire()).find(({ ok }) => !ok);
  expect(ramped).toMatchObject({ detail: expect.stringContaining('step by step') });
  expect(ramped && !ramped.ok && ramped.retryAfterMs).toBeGreaterThan(0);
});

test('listeners may do as they like inside an event', async () => {
  const { runtime, target, clock } = setup();
  let told = 0;
  let off = () => {};
  const again = () => {
    told++;
    off();
    off = runtime.on('transition', again);
  };
  off = runtime.on('transition', again);
  for (let i = 0; i < 5; i++) await target.run(fail).catch(() => {});
  expect(told).toBe(1);
  runtime.on('transition', ({ to }) => {
    if (to === 'half-open') target.force('closed', { reason: 'a person' });
  });
  await clock.advance(1_500);
  expect(target.acquire().ok).toBe(true);
  expect(target.state).toBe('closed');
});
