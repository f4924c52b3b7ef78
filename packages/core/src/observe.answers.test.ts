import { describe, expect, test } from 'vitest';
import type { HealingOptions } from './healing.ts';
import type { RunOptions } from './run-options.ts';
import type { Target } from './target.ts';
import { createTestHealing } from './testing.ts';

type Mode = 'heal' | 'observe';

function setup(mode: Mode, defaults: HealingOptions['defaults'] = {}) {
  const { clock, runtime } = createTestHealing({ mode, defaults });
  const target = runtime.target('upstream:a');
  const after = (ms: number, end: () => unknown) => () =>
    new Promise((resolve) => clock.setTimer(() => resolve(end()), ms));
  return { clock, target, after };
}

const fail = () => Promise.reject(new Error('no'));
const fallback = () => 'spare';

/** Repeats, and answers that are not the call's own: made, or noted. */
function done(target: Target) {
  const { counts, wouldHave } = target.status();
  return {
    repeated: counts.retries + (wouldHave?.repeated ?? 0),
    replaced: counts.fallbacks + counts.staleAnswers + (wouldHave?.replaced ?? 0),
  };
}

describe.each<[string, () => unknown]>([
  ['is answered late', () => 'late'],
  ['fails late', fail],
])('a call past its time that %s', (_, end) => {
  test('is noted as repeated and replaced, once', async () => {
    const results = [];
    for (const mode of ['heal', 'observe'] as const) {
      const { target, clock, after } = setup(mode, { timeoutMs: 100, retry: { maxRetries: 1 } });
      for (let i = 0; i < 3; i++) target.run(after(500, end), { idempotent: true, fallback }).catch(() => {});
      await clock.advance(1_000);
      results.push(done(target));
    }
    expect(results[0]).toEqual({ repeated: 3, replaced: 3 });
    expect(results[1]).toEqual(results[0]);
  });
});

test('repeats are noted at the time limit, and no more of them than the budget allows', async () => {
  const results = [];
  for (const mode of ['heal', 'observe'] as const) {
    const defaults = { timeoutMs: 100, retry: { maxRetries: 1 }, policy: { neverOpen: true } };
    const { target, clock, after } = setup(mode, defaults);
    for (let i = 0; i < 200; i++) target.run(after(5_000, fail), { idempotent: true }).catch(() => {});
    await clock.advance(1_000);
    results.push(done(target));
  }
  expect(results[0]?.repeated).toBeGreaterThan(0);
  expect(results[0]?.repeated).toBeLessThan(200);
  expect(results[1]).toEqual(results[0]);
});

test('a late probe would not have been repeated', async () => {
  const { target, clock, after } = setup('observe', { timeoutMs: 100 });
  await target.force('open');
  await target.force(null);
  target.run(
    after(500, () => 'late'),
    { idempotent: true },
  );
  await clock.advance(1_000);
  expect(target.wouldHave).toMatchObject({ timedOut: 1, repeated: 0 });
});

describe('stale answers', () => {
  const stale = { key: 'a', maxAgeMs: 10_000 };

  test.each<[string, RunOptions, () => unknown]>([
    ['failed', { stale }, fail],
    ['out of time', { stale, timeoutMs: 100 }, () => new Promise(() => {})],
  ])('are noted for calls that %s', async (_, options, fn) => {
    const results = [];
    for (const mode of ['heal', 'observe'] as const) {
      const { target, clock } = setup(mode);
      await target.run(() => 'kept', { stale });
      for (let i = 0; i < 3; i++) target.run(fn, options).catch(() => {});
      await clock.advance(200);
      results.push(done(target));
    }
    expect(results[0]?.replaced).toBe(3);
    expect(results[1]).toEqual(results[0]);
  });

  test('are noted where there is one that is not too old, and are not kept themselves', async () => {
    const { target, clock, after } = setup('observe', { timeoutMs: 100 });
    await target.run(fail, { stale }).catch(() => {});
    target.run(
      after(500, () => 'too late to be seen'),
      { stale },
    );
    await clock.advance(1_000);
    expect(done(target).replaced).toBe(0);
    await target.run(() => 'kept', { stale });
    expect(target.stale.find(stale, target.time.now)).toMatchObject({ value: undefined });
    await clock.advance(11_000);
    await target.run(fail, { stale }).catch(() => {});
    expect(done(target).replaced).toBe(0);
  });

  test('are not given for what policy denies', async () => {
    const { target } = setup('observe', { policy: { denyMethods: ['GET'] } });
    await target.run(() => 'kept', { stale });
    await target.run(fail, { stale, method: 'GET' }).catch(() => {});
    expect(target.wouldHave).toMatchObject({ failure: 1, replaced: 0 });
  });
});

test.each<[string, () => unknown]>([
  ['succeeds', () => 'real'],
  ['fails', fail],
])('a refused call that %s would have been replaced at once, and never repeated', async (_, fn) => {
  const results = [];
  for (const mode of ['heal', 'observe'] as const) {
    const { target } = setup(mode);
    await target.force('open');
    for (let i = 0; i < 3; i++) await target.run(fn, { idempotent: true, fallback }).catch(() => {});
    results.push(done(target));
  }
  expect(results[0]).toEqual({ repeated: 0, replaced: 3 });
  expect(results[1]).toEqual(results[0]);
});

test('on an exempt target nothing would have been done', async () => {
  const { target } = setup('observe', { exempt: true });
  await target.run(fail, { idempotent: true, fallback }).catch(() => {});
  expect(target.wouldHave).toBeUndefined();
});
