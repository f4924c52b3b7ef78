import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, describe, expect, expectTypeOf, test } from 'vitest';
import { ConfigError } from './errors.ts';
import type { Healing } from './healing.ts';
import { createHealing, defaultHealing } from './shared-runtime.ts';
import { createTestHealing } from './testing.ts';

const shared: Healing[] = [];
afterEach(async () => {
  for (const runtime of shared.splice(0)) await runtime.close();
});

function makeShared(...args: Parameters<typeof createHealing>): Healing {
  const runtime = createHealing(...args);
  shared.push(runtime);
  return runtime;
}

describe('the shared runtime', () => {
  test('the first one is it; adapters find it; a second is told who made the first', () => {
    const first = makeShared();
    expect(defaultHealing()).toBe(first);
    expect(() => createHealing()).toThrow(
      /shared: true was given; allowed: false, since .*healing\.test\.ts/s,
    );
    expect(() => createHealing({ shared: true })).toThrow(ConfigError);
    expect(defaultHealing()).toBe(first);
  });

  test('shared: false keeps one apart', () => {
    const apart = createHealing({ shared: false });
    const first = makeShared();
    expect(defaultHealing()).toBe(first);
    expect(apart).not.toBe(first);
    expect(createHealing({ shared: false })).not.toBe(apart);
  });

  test('without one, one is made with defaults; closing gives the place free', async () => {
    const made = defaultHealing();
    shared.push(made);
    expect(defaultHealing()).toBe(made);
    expect(() => createHealing()).toThrow(/with defaults/);
    await made.close();
    expect(makeShared()).not.toBe(made);
  });

  test('a wrong setting takes no place', () => {
    expect(() => createHealing({ mod: 'heal' } as never)).toThrow(ConfigError);
    makeShared();
  });

  test.each([null, 5, 'redis://x', []])('createHealing(%j) is a ConfigError', (options) => {
    expect(() => createHealing(options as never)).toThrow(
      expect.objectContaining({ code: 'HEALIX_CONFIG', path: 'options' }),
    );
    makeShared();
  });
});

describe('close', () => {
  test('readiness falls at once; calls in flight are waited for, those that come go through', async () => {
    const { runtime, clock } = createTestHealing();
    const target = runtime.target('upstream:a');
    const call = target.run(() => new Promise((end) => clock.setTimer(() => end('done'), 300)));
    let closed = false;
    const closing = runtime.close({ drainMs: 5_000 }).then(() => {
      closed = true;
    });
    expect(runtime.closing).toBe(true);
    expect(await target.run(() => 'late')).toBe('late');
    await clock.advance(250);
    expect(closed).toBe(false);
    await clock.advance(100);
    await closing;
    expect(await call).toBe('done');
  });

  test('at most drainMs; without it not at all; twice does no harm', async () => {
    const { runtime, clock } = createTestHealing();
    runtime.target('upstream:a').acquire();
    let closed = 0;
    runtime.close({ drainMs: 1_000 }).then(() => closed++);
    await clock.advance(900);
    expect(closed).toBe(0);
    await clock.advance(200);
    expect(closed).toBe(1);
    await runtime.close();
    await runtime.close();
  });

  test('await using closes', async () => {
    const { runtime } = createTestHealing();
    await runtime[Symbol.asyncDispose]();
    expect(runtime.closing).toBe(true);
  });

  test.each([Number.NaN, -1, 'soon'])('drainMs %j is a ConfigError', async (drainMs) => {
    const { runtime } = createTestHealing();
    await expect(runtime.close({ drainMs: drainMs as number })).rejects.toBeInstanceOf(ConfigError);
    expect(runtime.closing).toBe(false);
  });
});

describe('wrap', () => {
  test('same arguments, same result, as a promise, under the settings and options given', async () => {
    const { runtime, clock } = createTestHealing();
    const divide = runtime.wrap('upstream:math', async (a: number, b: number) => a / b, {
      timeoutMs: 2_000,
      deadlineMs: 3_000,
      idempotent: true,
      fallback: () => -1,
    });
    expectTypeOf(divide).toEqualTypeOf<(a: number, b: number) => Promise<number>>();
    expect(await divide(6, 3)).toBe(2);
    expect(runtime.target('upstream:math').settings).toMatchObject({ timeoutMs: 2_000, deadlineMs: 3_000 });
    let attempts = 0;
    const failing = runtime.wrap(
      'upstream:math',
      (): number => {
        attempts++;
        throw new Error('no');
      },
      { idempotent: true, fallback: () => -1 },
    );
    const call = failing();
    await clock.advance(3_000);
    expect(await call).toBe(-1);
    expect(attempts).toBe(3);
  });

  test('types: a plain function becomes async, of overloads the last counts', () => {
    const { runtime } = createTestHealing();
    function get(id: number): string;
    function get(id: string, more: boolean): Promise<Date>;
    function get(): unknown {
      return 'x';
    }
    expectTypeOf(runtime.wrap('a', get)).toEqualTypeOf<(id: string, more: boolean) => Promise<Date>>();
    expectTypeOf(runtime.wrap('a', (x?: string) => x?.length)).toEqualTypeOf<
      (x?: string) => Promise<number | undefined>
    >();
    expectTypeOf(runtime.target('a').wrap((x: number) => [x])).toEqualTypeOf<
      (x: number) => Promise<number[]>
    >();
    expectTypeOf(runtime.target('a').run(async () => 5)).toEqualTypeOf<Promise<number>>();
    // @ts-expect-error: a fallback gives what the function gives
    runtime.wrap('a', () => 5, { fallback: () => 'five' });
    // @ts-expect-error: there is no such setting
    expect(() => runtime.wrap('a', () => 5, { timoutMs: 5 })).toThrow(/Did you mean timeoutMs/);
  });

  test('without settings of its own it leaves those of its target alone', async () => {
    const { runtime } = createTestHealing();
    const target = runtime.target('upstream:a', { timeoutMs: 123 });
    const versions: number[] = [];
    runtime.on('settings', ({ version }) => versions.push(version));
    await runtime.wrap('upstream:a', () => 1)();
    await runtime.wrap('upstream:a', () => 1, { idempotent: true })();
    expect(target.settings.timeoutMs).toBe(123);
    expect(versions).toEqual([]);
  });

  test('bad input fails where it is wrapped', () => {
    const { runtime } = createTestHealing();
    expect(() => runtime.wrap('upstream:a', null as never)).toThrow(ConfigError);
    expect(() => runtime.wrap('', () => 1)).toThrow(ConfigError);
    expect(() => runtime.wrap('a', () => 1, { fallback: 5 as never })).toThrow(ConfigError);
    expect(() => runtime.wrap('a', () => 1, { stale: { maxAgeMs: 5 } as never })).toThrow(/stale\.key/);
    expect(() => runtime.wrap('a', () => 1, { timeoutMs: -5 })).toThrow(ConfigError);
  });
});

describe('with', () => {
  const attemptsOf = async (
    runtime: Healing,
    clock: { advance(ms: number): Promise<void> },
    run: typeof call,
  ) => {
    let attempts = 0;
    const done = run(runtime, () => {
      attempts++;
      throw new Error('no');
    }).catch(() => {});
    await clock.advance(3_000);
    await done;
    return attempts;
  };
  const call = (runtime: Healing, fn: () => never): Promise<unknown> => runtime.target('upstream:a').run(fn);

  test('healed calls within, however deep, have its options; others do not', async () => {
    const { runtime, clock } = createTestHealing();
    const deep: typeof call = (runtime, fn) =>
      runtime.with({ idempotent: true }, async () => {
        await Promise.resolve();
        return runtime.with({ deadlineMs: 2_000 }, () => call(runtime, fn));
      });
    expect(await attemptsOf(runtime, clock, deep)).toBe(3);
    expect(await attemptsOf(runtime, clock, call)).toBe(1);
  });

  test('what a call says itself is stronger; where it says undefined it says nothing', async () => {
    const { runtime, clock } = createTestHealing();
    const within =
      (options: { idempotent: boolean | undefined }): typeof call =>
      (runtime, fn) =>
        runtime.with({ idempotent: true }, () => runtime.target('upstream:a').run(fn, options));
    expect(await attemptsOf(runtime, clock, within({ idempotent: false }))).toBe(1);
    expect(await attemptsOf(runtime, clock, within({ idempotent: undefined }))).toBe(3);
    const wrapped: typeof call = (runtime, fn) =>
      runtime.with({ idempotent: true }, () => runtime.wrap('upstream:b', fn)());
    expect(await attemptsOf(runtime, clock, wrapped)).toBe(3);
  });

  test('gives back what its function gives; bad input is a ConfigError', () => {
    const { runtime } = createTestHealing();
    expect(runtime.with({}, () => 5)).toBe(5);
    expect(() => runtime.with({}, 5 as never)).toThrow(ConfigError);
    expect(() => runtime.with({ timeoutMs: -1 }, () => 5)).toThrow(ConfigError);
    expect(() => runtime.with(null as never, () => 5)).toThrow(ConfigError);
  });
});

describe('events', () => {
  test('listeners and diagnostics_channel are told the same; a listener can be taken back', async () => {
    const { runtime } = createTestHealing();
    const heard: unknown[] = [];
    const published: unknown[] = [];
    const onMessage = (message: unknown) => published.push(message);
    subscribe('healix:transition', onMessage);
    const off = runtime.on('transition', (event) => heard.push(event));
    await runtime.target('upstream:a').force('open');
    off();
    await runtime.target('upstream:a').force('closed');
    unsubscribe('healix:transition', onMessage);
    expect(heard).toHaveLength(1);
    expect(published).toHaveLength(2);
    expect(published[0]).toBe(heard[0]);
  });

  test('one that throws or rejects harms neither the call nor other listeners; it is counted', async () => {
    const { runtime, clock } = createTestHealing();
    let heard = 0;
    runtime.on('transition', () => {
      throw new Error('listener');
    });
    runtime.on('transition', async () => {
      throw new Error('async listener');
    });
    runtime.on('transition', () => heard++);
    const target = runtime.target('upstream:a');
    for (let i = 0; i < 5; i++) expect(await target.run(() => ({ status: 500 }))).toEqual({ status: 500 });
    await clock.advance(0);
    expect(heard).toBe(1);
    expect(target.state).toBe('open');
    expect(runtime.status().callbackErrors).toMatchObject([
      { target: 'runtime', callback: 'listener', count: 2 },
    ]);
  });

  test.each(['toString', 'constructor', 'evolution', undefined, 5])('on(%j) is a ConfigError', (name) => {
    const { runtime } = createTestHealing();
    expect(() => runtime.on(name as never, () => {})).toThrow(ConfigError);
    expect(() => runtime.on('incident', 5 as never)).toThrow(ConfigError);
  });
});
