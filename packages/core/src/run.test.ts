import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { ConfigError, DeadlineError } from './errors.ts';
import type { AttemptContext, RunOptions } from './run-options.ts';
import { createTestHealing } from './testing.ts';

function setup(settings = {}) {
  const { runtime, clock } = createTestHealing({ defaults: { retry: { maxRetries: 0 }, ...settings } });
  const target = runtime.target('upstream:a');
  return { runtime, clock, target, counts: () => target.status().counts };
}

const never = () => new Promise<never>(() => {});

describe('what a function gives back', () => {
  test('a value, a promise and a foreign thenable all resolve, and count as a success', async () => {
    const { target, counts } = setup();
    expect(await target.run(() => 1)).toBe(1);
    expect(await target.run(async () => 2)).toBe(2);
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
    expect(await target.run(() => ({ then: (ok: (value: number) => void) => ok(3) }) as never)).toBe(3);
    expect(await target.run(() => undefined)).toBeUndefined();
    expect(await target.run(() => null)).toBeNull();
    expect(counts()).toMatchObject({ success: 5, failure: 0 });
    expect(target.monitor.inFlight).toBe(0);
  });

  test('a throw and a rejection reject with the very same error, and count as failures', async () => {
    const { target, counts } = setup();
    const error = new Error('no');
    await expect(
      target.run(() => {
        throw error;
      }),
    ).rejects.toBe(error);
    await expect(target.run(() => Promise.reject(error))).rejects.toBe(error);
    await expect(target.run(() => Promise.reject(undefined))).rejects.toBeUndefined();
    expect(counts()).toMatchObject({ success: 0, failure: 3 });
  });

  test('a thenable that is a function is waited for as well', async () => {
    const { target, counts } = setup();
    const callable = Object.assign(() => {}, {
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
      then: (_ok: unknown, fail: (error: Error) => void) => fail(new Error('late')),
    });
    await expect(target.run(() => callable as never)).rejects.toThrow('late');
    expect(counts()).toMatchObject({ success: 0, failure: 1 });
  });

  test.each<[string, (ok: (value: unknown) => void, fail: (error: unknown) => void) => void, unknown]>([
    [
      'settles twice',
      (ok, fail) => {
        ok('first');
        ok('second');
        fail(new Error('third'));
      },
      'first',
    ],
    [
      'settles, then throws',
      (ok) => {
        ok('first');
        throw new Error('after');
      },
      'first',
    ],
  ])('a thenable that %s is heard once', async (_what, then, expected) => {
    const { target, counts } = setup();
    expect(await target.run(() => ({ then }) as never)).toBe(expected);
    expect(counts()).toMatchObject({ success: 1, failure: 0 });
    expect(target.monitor.inFlight).toBe(0);
    expect(target.counts.lateReleases).toBe(0);
  });

  test('a thenable that throws in then, or in the getter of then, is a failure', async () => {
    const { target, counts } = setup();
    const inThen = {
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
      then() {
        throw new Error('in then');
      },
    };
    const inGetter = Object.defineProperty({}, 'then', {
      get() {
        throw new Error('in getter');
      },
    });
    await expect(target.run(() => inThen as never)).rejects.toThrow('in then');
    await expect(target.run(() => inGetter as never)).rejects.toThrow('in getter');
    expect(counts()).toMatchObject({ success: 0, failure: 2 });
    expect(target.monitor.inFlight).toBe(0);
  });

  test('an answer whose properties throw when read settles its call all the same', async () => {
    const { target } = setup();
    const trap = () =>
      new Proxy(
        {},
        {
          get(_object, key) {
            if (key === 'then') return undefined;
            throw new Error(`do not read ${String(key)}`);
          },
        },
      );
    const answer = trap();
    expect(await target.run(() => answer)).toBe(answer);
    const badHeaders = {
      status: 503,
      headers: {
        get() {
          throw new Error('no headers');
        },
      },
    };
    expect(await target.run(() => badHeaders)).toBe(badHeaders);
    const error = trap();
    await expect(target.run(() => Promise.reject(error))).rejects.toBe(error);
    expect(target.monitor.inFlight).toBe(0);
  });
});

describe('what a function is given', () => {
  test('the number of its attempt, and a signal that is made when it is first read', async () => {
    const { target } = setup();
    let made = 0;
    const Original = globalThis.AbortController;
    globalThis.AbortController = class extends Original {
      constructor() {
        super();
        made++;
      }
    };
    try {
      await target.run(({ attempt }) => expect(attempt).toBe(1));
      expect(made).toBe(0);
      await target.run((context) => expect(context.signal).toBe(context.signal));
      expect(made).toBe(1);
    } finally {
      globalThis.AbortController = Original;
    }
  });

  test('a signal of its own: a call that times out does not abort its siblings', async () => {
    const { target, clock } = setup({ timeoutMs: 100 });
    const signals: AbortSignal[] = [];
    const hang = ({ signal }: AttemptContext) => {
      signals.push(signal);
      return never();
    };
    const first = target.run(hang).catch((error) => error);
    await clock.advance(60);
    const second = target.run(hang).catch((error) => error);
    await clock.advance(60);
    expect(await first).toBeInstanceOf(DeadlineError);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    await clock.advance(60);
    expect(await second).toBeInstanceOf(DeadlineError);
  });
});

describe('the signal of the caller', () => {
  test('aborted already: the function is not called, and nothing is counted', async () => {
    const { target, counts } = setup();
    const reason = new Error('gone');
    let called = false;
    const call = target.run(
      () => {
        called = true;
      },
      { signal: AbortSignal.abort(reason) },
    );
    await expect(call).rejects.toBe(reason);
    expect(called).toBe(false);
    expect(counts()).toMatchObject({ success: 0, failure: 0, ignored: 0, refused: 0 });
  });

  test('aborted in flight: rejects at once with its reason, aborts the attempt, says nothing of the target', async () => {
    const { target, counts } = setup();
    const controller = new AbortController();
    const reason = new Error('gone');
    let seen: AbortSignal | undefined;
    const call = target.run(
      ({ signal }) => {
        seen = signal;
        return never();
      },
      { signal: controller.signal, fallback: () => 'unwanted' as never },
    );
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    expect(seen?.reason).toBe(reason);
    expect(counts()).toMatchObject({ failure: 0, ignored: 1, fallbacks: 0 });
    expect(target.monitor.inFlight).toBe(0);
  });

  test('a signal that is first read after the abort is aborted too', async () => {
    const { target } = setup();
    const controller = new AbortController();
    let context: AttemptContext | undefined;
    const call = target.run(
      (given) => {
        context = given;
        return never();
      },
      { signal: controller.signal },
    );
    controller.abort(new Error('gone'));
    await expect(call).rejects.toThrow('gone');
    expect(context?.signal.aborted).toBe(true);
  });

  test('a TimeoutError, or an abort after timeoutMs, is a failure of the target', async () => {
    const { target, clock, counts } = setup({ timeoutMs: 100 });
    const timeout = new AbortController();
    const call = target.run(never, { signal: timeout.signal });
    timeout.abort(new DOMException('too slow', 'TimeoutError'));
    await expect(call).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(counts()).toMatchObject({ failure: 1, ignored: 0 });

    const late = target.acquire();
    if (!late.ok) throw late.toError();
    await clock.advance(150);
    target.abandon(late, new Error('gone'));
    expect(counts()).toMatchObject({ failure: 2, ignored: 0 });
  });

  test('no listener stays on a signal that outlives the call', async () => {
    const { target, clock } = setup({ timeoutMs: 50 });
    const { signal } = new AbortController();
    await target.run(() => 1, { signal });
    await target.run(() => Promise.reject(new Error('no')), { signal }).catch(() => {});
    const hanging = target.run(never, { signal }).catch(() => {});
    await clock.advance(100);
    await hanging;
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

describe('bad input', () => {
  test('what is no function is a ConfigError, and no failure of the target', async () => {
    const { target, counts } = setup();
    for (const wrong of [undefined, null, 'fn', {}, 1]) {
      await expect(target.run(wrong as never)).rejects.toBeInstanceOf(ConfigError);
    }
    expect(() => target.wrap(null as never)).toThrow(ConfigError);
    expect(counts()).toMatchObject({ success: 0, failure: 0, ignored: 0 });
  });

  test.each<[string, object]>([
    ['run.signal', { signal: {} }],
    ['run.signal', { signal: null }],
    ['run.deadlineMs', { deadlineMs: Number.NaN }],
    ['run.deadlineMs', { deadlineMs: '5' }],
    ['run.timeoutMs', { timeoutMs: Number.NaN }],
    ['run.timeoutMs', { timeoutMs: 0 }],
    ['run.fallback', { fallback: 'cached' }],
    ['run.stale', { stale: true }],
    ['run.stale.key', { stale: { maxAgeMs: 5 } }],
    ['run.stale.key', { stale: { key: '', maxAgeMs: 5 } }],
    ['run.stale.maxAgeMs', { stale: { key: 'a' } }],
    ['run.stale.maxEntries', { stale: { key: 'a', maxAgeMs: 5, maxEntries: 0 } }],
    ['run.stale.maxEntries', { stale: { key: 'a', maxAgeMs: 5, maxEntries: 1e9 } }],
  ])('%s: %j is told of before the function is called', async (path, options) => {
    const { target, counts } = setup();
    let called = false;
    const call = target.run(
      () => {
        called = true;
      },
      options as RunOptions<void>,
    );
    await expect(call).rejects.toMatchObject({ code: 'HEALIX_CONFIG', path });
    expect(called).toBe(false);
    expect(counts()).toMatchObject({ success: 0, failure: 0 });
  });

  test('unknown options are let be; infinite times are no limit', async () => {
    const { target, clock } = setup({ timeoutMs: 86_400_000 });
    expect(await target.run(() => 1, { idempotant: true } as RunOptions<number>)).toBe(1);
    const hanging = target.run(never, {
      deadlineMs: Number.POSITIVE_INFINITY,
      timeoutMs: Number.POSITIVE_INFINITY,
    });
    hanging.catch(() => {});
    await clock.advance(5_000);
    expect(target.monitor.inFlight).toBe(1);
  });
});
