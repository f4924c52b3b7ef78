import { describe, expect, test } from 'vitest';
import type { Outcome } from './config/schema.ts';
import { CircuitOpenError, DeadlineError, OverloadError, PolicyError, RateLimitError } from './errors.ts';
import { classifyOutbound, parseRetryAfter, retryAfterOf } from './outcome.ts';
import { createTestHealing } from './testing.ts';

const retryLater = { 'retry-after': '1' };
const carrying = (response: object) => Object.assign(new Error('x'), { response });

describe('what a call came to', () => {
  test.each<[string, unknown, Outcome]>([
    ['nothing', undefined, 'success'],
    ['null', null, 'success'],
    ['a text', 'hello', 'success'],
    ['an object of its own', { rows: [] }, 'success'],
    ['a status that is no number', { status: 'active' }, 'success'],
    ['200', { status: 200 }, 'success'],
    ['304', { statusCode: 304 }, 'success'],
    ['404', { status: 404 }, 'success'],
    ['500', { status: 500 }, 'failure'],
    ['502 of undici', { statusCode: 502 }, 'failure'],
    ['503', { status: 503 }, 'failure'],
    ['503 with Retry-After', { status: 503, headers: retryLater }, 'overload'],
    ['503 with a Retry-After of 0', { status: 503, headers: { 'retry-after': '0' } }, 'failure'],
    ['500 with Retry-After', { status: 500, headers: retryLater }, 'failure'],
    ['429', { status: 429 }, 'overload'],
  ])('%s is a result: %o is %s', (_what, result, outcome) => {
    expect(classifyOutbound(false, result)).toBe(outcome);
  });

  test.each<[string, unknown, Outcome]>([
    ['an error', new Error('ECONNRESET'), 'failure'],
    ['nothing', undefined, 'failure'],
    ['a text', 'no', 'failure'],
    ['a timeout of fetch', new DOMException('late', 'TimeoutError'), 'failure'],
    ['an abort', new DOMException('stop', 'AbortError'), 'ignored'],
    ['404 of axios', carrying({ status: 404 }), 'success'],
    ['500 of axios', carrying({ status: 500 }), 'failure'],
    ['429 of got', carrying({ statusCode: 429 }), 'overload'],
    ['503 with Retry-After of axios', carrying({ status: 503, headers: retryLater }), 'overload'],
    ['an error with a status of its own', Object.assign(new Error('x'), { statusCode: 404 }), 'success'],
    ['a status below 400 on an error', Object.assign(new Error('parse'), { status: 200 }), 'failure'],
    ['a refusal of another circuit', new CircuitOpenError('x'), 'ignored'],
    ['a shed load', new OverloadError('x'), 'ignored'],
    ['a rate of ours', new RateLimitError('x'), 'ignored'],
    ['a denial of ours', new PolicyError('x'), 'ignored'],
    [
      'a refusal that fetch wrapped',
      new TypeError('fetch failed', { cause: new CircuitOpenError('x') }),
      'ignored',
    ],
    ['a deadline of another target', new DeadlineError('x'), 'failure'],
  ])('%s is thrown: %s', (_what, error, outcome) => {
    expect(classifyOutbound(true, error)).toBe(outcome);
  });
});

test('an inner target that refuses does not harm the outer one', async () => {
  const { runtime } = createTestHealing();
  const [outer, inner] = [runtime.target('route:GET /a'), runtime.target('upstream:b')];
  await inner.force('open');
  for (let i = 0; i < 50; i++) {
    const call = outer.run(() => inner.run(() => 1));
    await expect(call).rejects.toBeInstanceOf(CircuitOpenError);
  }
  expect(outer.state).toBe('closed');
  expect(outer.status().counts).toMatchObject({ failure: 0, ignored: 50 });
});

describe('Retry-After', () => {
  const wall = Date.UTC(2026, 5, 1);

  test.each<[string | undefined, number]>([
    [undefined, 0],
    ['0', 0],
    ['7', 7_000],
    [' 7 ', 7_000],
    ['999999999', 999_999_999_000],
    ['9999999999', 0],
    ['7s', 0],
    [new Date(wall + 3_000).toUTCString(), 3_000],
    [new Date(wall - 3_000).toUTCString(), 0],
  ])('%j is %i ms', (header, ms) => {
    expect(parseRetryAfter(header, wall)).toBe(ms);
  });

  test('is found on results and on errors, and nowhere else', () => {
    expect(retryAfterOf(false, { headers: new Headers({ 'Retry-After': '3' }) })).toBe(3_000);
    expect(retryAfterOf(false, { headers: { 'retry-after': 3 } })).toBe(3_000);
    expect(retryAfterOf(true, carrying({ headers: retryLater }))).toBe(1_000);
    for (const nothing of [null, 'x', {}, { headers: null }, { headers: { 'retry-after': {} } }]) {
      expect(retryAfterOf(false, nothing)).toBe(0);
    }
  });
});

describe('overload', () => {
  test('sets the earliest next try, at most 60 s, and leaves the failure rate alone', async () => {
    const { runtime, clock } = createTestHealing({ defaults: { retry: { maxRetries: 0 } } });
    const target = runtime.target('upstream:a');
    for (let i = 0; i < 4; i++) await target.run(() => ({ status: 429, headers: { 'retry-after': '30' } }));
    expect(target.state).toBe('closed');
    expect(target.breaker.countsAt(clock.now()).failures).toBe(0);
    await target.run(() => ({ status: 429, headers: { 'retry-after': '3600' } }));
    expect(target.state).toBe('open');
    expect(target.status().retryAfterMs).toBeGreaterThan(59_000);
    expect(target.status().retryAfterMs).toBeLessThanOrEqual(60_000);
    expect(target.status().counts).toMatchObject({ overload: 5, failure: 0 });
  });
});

describe('a classifier', () => {
  test('is given the result, or the error, and decides', async () => {
    const seen: unknown[] = [];
    const { runtime } = createTestHealing();
    const target = runtime.target('upstream:a', {
      retry: { maxRetries: 0 },
      classify: (result, error) => {
        seen.push([result, error]);
        return error ? 'ignored' : 'failure';
      },
    });
    const error = new Error('x');
    await target.run(() => 'result');
    await target.run(() => Promise.reject(error)).catch(() => {});
    expect(seen).toEqual([
      ['result', undefined],
      [undefined, error],
    ]);
    expect(target.status().counts).toMatchObject({ failure: 1, ignored: 1, success: 0 });
    expect(target.classify('result')).toBe('failure');
    expect(target.classify(undefined, error)).toBe('ignored');
  });

  test.each<[string, () => unknown, string]>([
    [
      'throws',
      () => {
        throw new Error('bad');
      },
      'Error: bad',
    ],
    ['gives something else', () => 'ok', 'TypeError: it gave ok, no outcome'],
    ['gives nothing', () => undefined, 'TypeError: it gave undefined, no outcome'],
    ['gives a promise', () => Promise.reject(new Error('async')), 'TypeError: it gave object, no outcome'],
  ])('that %s harms neither request nor circuit', async (_what, classify, lastError) => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    const { runtime, clock } = createTestHealing();
    const target = runtime.target('upstream:a', { classify: classify as never });
    for (let i = 0; i < 30; i++) expect(await target.run(() => 'fine')).toBe('fine');
    await clock.advance(100);
    process.off('warning', note);
    expect(target.state).toBe('closed');
    expect(target.status().counts).toMatchObject({ success: 30, failure: 0 });
    const callback = { target: 'upstream:a', callback: 'classify', count: 30, lastError };
    expect(runtime.status().callbackErrors).toEqual([callback]);
    expect(warnings.filter(({ message }) => message.includes('classify of upstream:a'))).toHaveLength(1);
  });
});
