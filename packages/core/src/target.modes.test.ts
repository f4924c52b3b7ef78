import { afterEach, describe, expect, test, vi } from 'vitest';
import type { HealingOptions } from './healing.ts';
import type { Permit } from './permit.ts';
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
