import { describe, expect, test } from 'vitest';
import type { TargetOptions } from './config/schema.ts';
import { CircuitOpenError, PolicyError } from './errors.ts';
import { createTestHealing } from './testing.ts';

function setup(defaults: TargetOptions = {}) {
  const { runtime, clock } = createTestHealing({ defaults: { retry: { maxRetries: 0 }, ...defaults } });
  const target = runtime.target('upstream:a');
  return { runtime, clock, target, counts: () => target.status().counts };
}

const failure = new Error('no');
const fail = () => {
  throw failure;
};

describe('fallback', () => {
  test('answers for a failed call, and sees the error; its call is a failure all the same', async () => {
    const { target, counts } = setup();
    let seen: unknown;
    const fallback = (error: unknown) => {
      seen = error;
      return 'cached';
    };
    expect(await target.run<string>(fail, { fallback })).toBe('cached');
    expect(seen).toBe(failure);
    expect(await target.run<string>(fail, { fallback: async () => 'async' })).toBe('async');
    expect(counts()).toMatchObject({ failure: 2, success: 0, fallbacks: 2 });
  });

  test('answers for a refused call, and for one that was too late', async () => {
    const { target, clock, runtime } = setup({ timeoutMs: 50 });
    const seen: unknown[] = [];
    const fallback = (error: unknown) => {
      seen.push((error as { code?: string }).code);
      return 'cached';
    };
    const slow = target.run<string>(() => new Promise(() => {}), { fallback });
    await clock.advance(100);
    expect(await slow).toBe('cached');
    await target.force('open');
    expect(await target.run(() => 'real', { fallback })).toBe('cached');
    const denied = runtime.target('upstream:b', { policy: { deny: 'closed today' } });
    expect(await denied.run(() => 'real', { fallback })).toBe('cached');
    expect(seen).toEqual(['HEALIX_DEADLINE', 'HEALIX_CIRCUIT_OPEN', 'HEALIX_POLICY']);
  });

  test('is not asked while all is well, nor for a 4xx', async () => {
    const { target, counts } = setup();
    const fallback = () => 'cached' as never;
    expect(await target.run(() => 1, { fallback })).toBe(1);
    expect(await target.run(() => ({ status: 404 }), { fallback })).toEqual({ status: 404 });
    expect(counts().fallbacks).toBe(0);
  });

  test.each<[string, () => never | Promise<never>]>([
    ['throws', fail2],
    ['rejects', async () => fail2()],
    [
      'gives a thenable that throws',
      () => {
        const then = fail2;
        return { then } as never;
      },
    ],
  ])('one that %s: the call has its own end; it is counted and told of once', async (_what, fallback) => {
    const { target, runtime, counts } = setup();
    for (let i = 0; i < 2; i++) await expect(target.run<never>(fail, { fallback })).rejects.toBe(failure);
    expect(runtime.status().callbackErrors).toEqual([
      { target: 'upstream:a', callback: 'fallback', count: 2, lastError: 'Error: fallback failed' },
    ]);
    expect(counts()).toMatchObject({ failure: 2, fallbacks: 0 });
    const answer = { status: 500 };
    expect(await target.run<unknown>(() => answer, { fallback })).toBe(answer);
  });
});

function fail2(): never {
  throw new Error('fallback failed');
}

describe('preferFallback', () => {
  test('a call with a fallback takes it at its first failure; others are still repeated', async () => {
    const { target, clock } = setup({ recovery: { preferFallback: true }, retry: { maxRetries: 2 } });
    let attempts = 0;
    const fn = () => {
      attempts++;
      return fail();
    };
    expect(await target.run<string>(fn, { idempotent: true, fallback: () => 'cached' })).toBe('cached');
    expect(attempts).toBe(1);
    const repeated = target.run(fn, { idempotent: true }).catch(() => {});
    await clock.advance(1_000);
    await repeated;
    expect(attempts).toBe(4);
  });
});

describe('stale answers', () => {
  const stale = (key: string, more = {}) => ({ stale: { key, maxAgeMs: 1_000, ...more } });

  test('a good answer is given again, under its key alone, while there is none', async () => {
    const { target, counts } = setup();
    await target.run(() => 'of ann', stale('ann'));
    expect(await target.run<string>(fail, stale('ann'))).toBe('of ann');
    await expect(target.run(fail, stale('bob'))).rejects.toBe(failure);
    await expect(target.run(fail)).rejects.toBe(failure);
    expect(counts()).toMatchObject({ staleAnswers: 1, failure: 3 });
  });

  test('also where the circuit is open, but not where a policy denies', async () => {
    const { target } = setup();
    await target.run(() => 'kept', stale('a'));
    await target.force('open');
    expect(await target.run(() => 'real', stale('a'))).toBe('kept');
    await expect(target.run(() => 'real', stale('b'))).rejects.toBeInstanceOf(CircuitOpenError);
    target.update({ policy: { deny: 'no' } });
    await expect(target.run(() => 'real', stale('a'))).rejects.toBeInstanceOf(PolicyError);
  });

  test('is not given on a target that has become exempt', async () => {
    const { target, counts } = setup();
    await target.run(() => 'kept', stale('a'));
    target.update({ exempt: true });
    await expect(target.run(fail, stale('a'))).rejects.toBe(failure);
    expect(counts().staleAnswers).toBe(0);
  });

  test('comes before the fallback', async () => {
    const { target, counts } = setup();
    const options = { ...stale('a'), fallback: () => 'fallback' };
    expect(await target.run<string>(fail, options)).toBe('fallback');
    await target.run(() => 'kept', options);
    expect(await target.run<string>(fail, options)).toBe('kept');
    expect(counts()).toMatchObject({ fallbacks: 1, staleAnswers: 1 });
  });

  test('an answer gets too old', async () => {
    const { target, clock } = setup();
    await target.run(() => 'kept', stale('a'));
    await clock.advance(900);
    expect(await target.run<string>(fail, stale('a'))).toBe('kept');
    await clock.advance(200);
    await expect(target.run(fail, stale('a'))).rejects.toBe(failure);
  });

  test('only so many are kept, those that were used last', async () => {
    const { target } = setup();
    for (const key of ['a', 'b', 'c']) await target.run(() => key, stale(key, { maxEntries: 2 }));
    await expect(target.run(fail, stale('a', { maxEntries: 2 }))).rejects.toBe(failure);
    expect(await target.run<string>(fail, stale('b', { maxEntries: 2 }))).toBe('b');
    expect(await target.run<string>(fail, stale('c', { maxEntries: 2 }))).toBe('c');
  });

  test('failures are never kept, and nothing of another target', async () => {
    const { target, runtime } = setup();
    await target.run(() => ({ status: 500 }), stale('a'));
    expect(await target.run(() => ({ status: 502 }), stale('a'))).toEqual({ status: 502 });
    await runtime.target('upstream:b').run(() => 'of b', stale('a'));
    await expect(target.run(fail, stale('a'))).rejects.toBe(failure);
  });
});
