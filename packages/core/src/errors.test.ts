import { describe, expect, test } from 'vitest';
import {
  CircuitOpenError,
  ClosedError,
  ConfigError,
  DeadlineError,
  findHealixError,
  HealixError,
  isHealixError,
  OverloadError,
  PolicyError,
  RateLimitError,
  withoutStack,
} from './errors.ts';

test.each([
  [CircuitOpenError, 'CircuitOpenError', 'HEALIX_CIRCUIT_OPEN'],
  [OverloadError, 'OverloadError', 'HEALIX_OVERLOAD'],
  [RateLimitError, 'RateLimitError', 'HEALIX_RATE_LIMIT'],
  [DeadlineError, 'DeadlineError', 'HEALIX_DEADLINE'],
  [PolicyError, 'PolicyError', 'HEALIX_POLICY'],
  [ClosedError, 'ClosedError', 'HEALIX_CLOSED'],
] as const)('%o carries its name, its permanent code and what it was given', (Type, name, code) => {
  const cause = new Error('below');
  const error = new Type('no', { target: 'upstream:a', retryAfterMs: 5, incidentId: 'i1', cause });
  expect(error).toBeInstanceOf(HealixError);
  expect(error).toMatchObject({
    name,
    code,
    message: 'no',
    target: 'upstream:a',
    retryAfterMs: 5,
    incidentId: 'i1',
  });
  expect(error.cause).toBe(cause);
  expect('cause' in new Type('no')).toBe(false);
});

describe('isHealixError', () => {
  const open = new CircuitOpenError('open');

  test('finds an error of healix, bare or as a cause, with the right code', () => {
    const hidden = new TypeError('fetch failed', { cause: new Error('more', { cause: open }) });
    expect([isHealixError(open), isHealixError(hidden)]).toEqual([true, true]);
    expect(isHealixError(hidden, 'HEALIX_CIRCUIT_OPEN')).toBe(true);
    expect(isHealixError(hidden, 'HEALIX_DEADLINE')).toBe(false);
    expect(findHealixError(hidden)).toBe(open);
  });

  test('with a code it looks past errors of healix that have another', () => {
    const outer = new DeadlineError('late', { cause: open });
    expect(findHealixError(outer)).toBe(outer);
    expect(findHealixError(outer, 'HEALIX_CIRCUIT_OPEN')).toBe(open);
  });

  test('knows the errors of another copy of healix', () => {
    const foreign = Object.defineProperty(new Error('x'), Symbol.for('healix.error.1'), { value: true });
    expect(isHealixError(foreign)).toBe(true);
  });

  test.each([
    undefined,
    null,
    5,
    'HEALIX_CIRCUIT_OPEN',
    new Error('x'),
    { code: 'HEALIX_CIRCUIT_OPEN' },
    () => open,
  ])('does not take %o for one', (other) => {
    expect(isHealixError(other)).toBe(false);
  });

  test('comes to an end on causes that go in a circle', () => {
    const a: Error & { cause?: unknown } = new Error('a');
    a.cause = new Error('b', { cause: a });
    expect(isHealixError(a)).toBe(false);
  });
});

describe('withoutStack', () => {
  test('makes an error without frames, and leaves the limit as it was', () => {
    const limit = Error.stackTraceLimit;
    const error = withoutStack(() => new OverloadError('full'));
    expect(error.stack).not.toContain('\n    at ');
    expect(Error.stackTraceLimit).toBe(limit);
    expect(new Error('x').stack).toContain('\n    at ');
  });

  test('also when making it throws', () => {
    const limit = Error.stackTraceLimit;
    expect(() =>
      withoutStack(() => {
        throw new RangeError('x');
      }),
    ).toThrow(RangeError);
    expect(Error.stackTraceLimit).toBe(limit);
  });
});

describe('ConfigError', () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;

  test.each([
    [-1, '-1'],
    [Number.NaN, 'NaN'],
    [10n, '10n'],
    ['x"y', '"x\\"y"'],
    [undefined, 'undefined'],
    [null, 'null'],
    [() => 1, 'a function'],
    [Symbol('s'), 'Symbol(s)'],
    [circular, 'an object'],
    [{ big: 1n }, 'an object'],
    [[1, 2], '[1,2]'],
  ])('describes %o as %s', (given, text) => {
    const error = new ConfigError('a.b', given, 'right');
    expect(error.message).toBe(`a.b: ${text} was given; allowed: right`);
    expect(error).toMatchObject({ path: 'a.b', given, allowed: 'right', code: 'HEALIX_CONFIG' });
  });

  test.each([
    'redis://user:SECRET@loc alhost:6379',
    'redis://:SEC/RET@host',
    'http://user:SE@CRET@host',
    { redis: 'redis://user:SECRET@host' },
  ])('tells no password: %o', (given) => {
    const error = new ConfigError('redis', given, 'right');
    expect(error.message).not.toMatch(/SE|CRET|user/);
    expect(error.message).toContain('://***@');
    if (typeof given === 'string') expect(error.given).not.toMatch(/SE|CRET|user/);
  });

  test('adds a hint as a sentence, and cuts what is long', () => {
    expect(new ConfigError('a', 1, 'b', 'Did you mean c?').message).toBe(
      'a: 1 was given; allowed: b. Did you mean c?',
    );
    expect(new ConfigError('a', { text: 'x'.repeat(1_000) }, 'b').message.length).toBeLessThan(150);
    expect(new ConfigError('a', 'x'.repeat(1_000), 'b').message.length).toBeLessThan(150);
  });
});
