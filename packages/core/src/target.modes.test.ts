import { afterEach, describe, expect, test, vi } from 'vitest';
import type { HealingOptions } from './healing.ts';
import type { Permit } from './permit.ts';
import type { RunOptions } from './run-options.ts';
import type { Target } from './target.ts';
import { createTestHealing, type TestHealingOptions } from './testing.ts';

function setup(options: TestHealingOptions) {
  const { runtime, clock } = createTestHealing(options);
  return { runtime, clock, target: runtime.target('upstream:a') };
}

function take(target: Target): Permit {
  const permit = target.acquire();
  if (!permit.ok) throw permit.toError();
  return permit;
}

const fail = () => ({ status: 500 });

describe('observe', () => {
  const observe = (defaults: HealingOptions['defaults'] = {}) => setup({ mode: 'observe', defaults });

  test('nothing is refused; calls that would have been are told with what they really came to', async () => {
    const { target } = observe();
    for (let i = 0; i < 5; i++) await target.run(fail);
    expect(target.state).toBe('open');
    for (let i = 0; i < 7; i++) expect(await target.run(() => i)).toBe(i);
    for (let i = 0; i < 3; i++) await target.run(fail);
    const { counts, wouldHave } = target.status();
    expect(counts).toMatchObject({ success: 7, failure: 8, refused: 0 });
    expect(wouldHave).toMatchObject({ success: 7, failure: 3, overload: 0, ignored: 0 });
  });

  test('of each trial the first calls are its probes, the others would have been refused', async () => {
    const { target, clock } = observe({ circuit: { probes: 3, openMs: 1_000, maxOpenMs: 1_000 } });
    for (let i = 0; i < 5; i++) await target.run(fail);
    await clock.advance(1_300);
    expect(target.state).toBe('half-open');
    const permits = Array.from({ length: 5 }, () => take(target));
    for (const permit of permits.slice(3)) target.release(permit, 'success');
    expect(target.state).toBe('half-open');
    expect(target.wouldHave).toMatchObject({ success: 2 });
    for (const permit of permits.slice(0, 3)) target.release(permit, 'success');
    expect(target.state).toBe('closed');
    expect(target.wouldHave).toMatchObject({ success: 2 });
  });

  test('nothing is cut short, repeated or replaced', async () => {
    const { target, clock } = observe({ timeoutMs: 50, deadlineMs: 60 });
    await target.run(() => 'kept', { stale: { key: 'a', maxAgeMs: 1_000 } });
    let attempts = 0;
    const options = {
      idempotent: true,
      fallback: () => 'unwanted' as never,
      stale: { key: 'a', maxAgeMs: 1_000 },
    };
    const failing = target.run<unknown>(() => {
      attempts++;
      return fail();
    }, options);
    const slow = target.run(() => new Promise((end) => clock.setTimer(() => end('slow'), 500)));
    expect(await target.run(() => 'real', { deadlineMs: 0 })).toBe('real');
    await clock.advance(600);
    expect(await failing).toEqual({ status: 500 });
    expect(await slow).toBe('slow');
    expect(attempts).toBe(1);
    expect(target.status()).toMatchObject({
      counts: { retries: 0, fallbacks: 0, staleAnswers: 0 },
      wouldHave: { timedOut: 1 },
    });
  });

  const never = () => new Promise<never>(() => {});

  test.each<[string, HealingOptions['defaults'], RunOptions]>([
    ['timeoutMs', { timeoutMs: 200 }, {}],
    ['deadlineMs', { deadlineMs: 200 }, {}],
    ['timeoutMs of the call’s own', {}, { timeoutMs: 200 }],
    ['deadlineMs of the call’s own', {}, { deadlineMs: 200 }],
  ])('a call past its time is a failure then, goes on, and is not counted again: %s', async (...given) => {
    const [, defaults, options] = given;
    const { target, clock, runtime } = observe(defaults);
    const ends: ((value: string) => void)[] = [];
    const signals: AbortSignal[] = [];
    const calls = Array.from({ length: 5 }, () =>
      target.run(
        ({ signal }) => {
          signals.push(signal);
          return new Promise<string>((resolve) => ends.push(resolve));
        },
        options as RunOptions<string>,
      ),
    );
    expect(clock.keepsAlive).toBe(false);
    await clock.advance(190);
    expect(target.status()).toMatchObject({ state: 'closed', wouldHave: undefined });
    await clock.advance(50);
    const past = {
      state: 'open',
      wouldHave: { timedOut: 5 },
      counts: { failure: 5, success: 0, ignored: 0 },
    };
    expect(target.status()).toMatchObject({ ...past, inFlight: 5 });
    expect(runtime.incidents()).toHaveLength(1);
    expect(signals.some(({ aborted }) => aborted)).toBe(false);
    await clock.advance(30_000);
    for (const end of ends) end('late');
    expect(await Promise.all(calls)).toEqual(['late', 'late', 'late', 'late', 'late']);
    expect(target.status()).toMatchObject({ ...past, state: 'half-open', inFlight: 0 });
    expect(runtime.status().coverage.lateReleases).toBe(0);
  });

  test.each<[string, (call: { abort: AbortController; fail: (error: Error) => void }) => void]>([
    ['fails', ({ fail }) => fail(new Error('late'))],
    ['is given up', ({ abort }) => abort.abort(new Error('gone'))],
  ])('a call past its time that %s later is not counted again either', async (_, end) => {
    const { target, clock } = observe({ timeoutMs: 200 });
    const abort = new AbortController();
    let fail = (_error: Error) => {};
    const hangs = () => new Promise<never>((_resolve, reject) => (fail = reject));
    const call = target.run(hangs, { signal: abort.signal }).catch(({ message }) => message);
    await clock.advance(300);
    end({ abort, fail });
    expect(['late', 'gone']).toContain(await call);
    expect(target.status()).toMatchObject({
      inFlight: 0,
      counts: { failure: 1, ignored: 0 },
      wouldHave: { timedOut: 1, failure: 0, ignored: 0 },
    });
  });

  test('a probe that hangs has failed after its own time', async () => {
    const { target, clock } = observe({ circuit: { probes: 1, probeTimeoutMs: 300, maxOpenMs: 1_000 } });
    for (let i = 0; i < 5; i++) await target.run(fail);
    await clock.advance(1_300);
    target.run(never);
    expect(target.state).toBe('half-open');
    await clock.advance(350);
    expect(target.state).toBe('open');
    expect(target.wouldHave).toMatchObject({ timedOut: 1 });
  });

  test('what would have been refused, or had no time left, would not have been cut short', async () => {
    const { target, clock } = observe({ timeoutMs: 200 });
    target.run(never, { deadlineMs: 0 });
    await clock.advance(1_000);
    await target.force('open');
    target.run(never);
    await clock.advance(1_000);
    expect(target.status()).toMatchObject({ wouldHave: undefined, inFlight: 2, counts: { failure: 0 } });
  });

  test('an exempt target has no time limits', async () => {
    const { target, clock } = observe({ timeoutMs: 200, exempt: true });
    target.run(never);
    await clock.advance(1_000);
    expect(target.status()).toMatchObject({ wouldHave: undefined, counts: { failure: 0 } });
  });

  test('a policy denies nothing either, and tells what it would have denied', async () => {
    const { target } = observe({ policy: { denyMethods: ['POST'], rate: { calls: 2 } } });
    expect(await target.run(() => 1, { method: 'POST' })).toBe(1);
    for (let i = 0; i < 5; i++) await target.run(fail, { method: 'GET' });
    expect(target.status()).toMatchObject({ counts: { refused: 0 }, wouldHave: { success: 1, failure: 3 } });
    expect(target.breaker.countsAt(target.time.now).failures).toBe(2);
  });

  test('transitions are marked observed, and recovery changes no settings', async () => {
    const { runtime, target, clock } = observe({ recovery: { proveMs: 100 } });
    const observed: boolean[] = [];
    const versions: number[] = [];
    runtime.on('transition', (event) => observed.push(event.observed));
    runtime.on('settings', ({ version }) => versions.push(version));
    for (let i = 0; i < 40; i++) {
      await target.run<unknown>(i % 3 === 0 ? fail : () => 1);
      await clock.advance(100);
    }
    expect(runtime.incidents()[0]?.timeline.map(({ strategy }) => strategy)).toContain('degrade');
    expect(versions).toEqual([]);
    expect(target.settings.recovery.preferFallback).toBe(false);
    await target.force('open');
    expect(await target.run(() => 'through')).toBe('through');
    expect(observed).toEqual([true]);
    await expect(target.ready()).resolves.toBeUndefined();
  });
});

describe('the emergency switch', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test('everything passes, there are no timers, nothing is counted', async () => {
    let classified = 0;
    const { runtime, clock, target } = setup({
      disabled: true,
      defaults: {
        timeoutMs: 50,
        deadlineMs: 50,
        policy: { deny: 'no', concurrency: 1, rate: { calls: 1 } },
        classify: () => {
          classified++;
          return 'failure';
        },
      },
    });
    await target.force('open');
    const slow = target.run(() => new Promise((end) => clock.setTimer(() => end('slow'), 500)));
    expect(clock.pending).toBe(1);
    for (let i = 0; i < 30; i++)
      expect(await target.run(fail, { idempotent: true })).toEqual({ status: 500 });
    const permit = take(target);
    target.markLatency(permit);
    target.release(permit, 'failure');
    target.abandon(take(target));
    await target.ready();
    await clock.advance(600);
    expect(await slow).toBe('slow');
    expect(clock.pending).toBe(0);
    expect(classified).toBe(0);
    const none = { success: 0, failure: 0, overload: 0, ignored: 0, refused: 0, retries: 0 };
    expect(target.status()).toMatchObject({ counts: none, inFlight: 0 });
    expect(runtime).toMatchObject({ disabled: true, mode: 'off' });
  });

  test('HEALIX_DISABLED=1 is read where the option is absent', () => {
    vi.stubEnv('HEALIX_DISABLED', '1');
    expect(setup({}).runtime.mode).toBe('off');
    expect(setup({ mode: 'observe' }).runtime.mode).toBe('off');
    expect(setup({ disabled: false }).runtime.mode).toBe('heal');
    vi.stubEnv('HEALIX_DISABLED', 'true');
    expect(setup({}).runtime.mode).toBe('heal');
  });
});
