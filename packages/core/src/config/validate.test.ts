import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CircuitBreaker } from '../circuit/breaker.ts';
import { ConfigError } from '../errors.ts';
import type { TargetOptions } from './schema.ts';
import { checkTargetOptions, resolveTarget } from './settings.ts';

const VALID = {
  tier: 'basic',
  exempt: false,
  timeoutMs: 500,
  deadlineMs: 2_000,
  classify: () => 'success',
  circuit: {
    failureRate: 0.4,
    slowCallRate: 1,
    slowCallMs: 300,
    windowMs: 5_000,
    windowCalls: 50,
    minimumCalls: 10,
    consecutiveFailures: 3,
    consecutiveWithinMs: 30_000,
    openMs: 700,
    maxOpenMs: 1_500,
    probes: 2,
    probeTimeoutMs: 800,
    rampMs: 0,
  },
  retry: {
    maxRetries: 1,
    budget: 0.1,
    budgetPerSecond: 2.5,
    baseDelayMs: 10,
    maxDelayMs: 100,
    maxRetryAfterMs: 0,
  },
  policy: {
    deny: 'closed on Sundays',
    denyMethods: ['TRACE'],
    denyStatus: 451,
    retryMethods: [],
    concurrency: 100,
    rate: { calls: 10, perMs: 1_000, burst: 20 },
    neverOpen: true,
  },
  recovery: { proveMs: 1_000, calmMs: 500, maxLevel: 4, anomalyRate: 0.2, anomalyCalls: 5, saturation: 1 },
} satisfies TargetOptions;

const WHOLE =
  /^(windowCalls|minimumCalls|consecutiveFailures|probes|maxRetries|denyStatus|concurrency|maxLevel|anomalyCalls)$/;

type Tree = Record<string, unknown>;
const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every field of `tree`, objects too, as paths. */
function pathsOf(tree: Tree, above: readonly string[] = []): string[][] {
  return Object.entries(tree).flatMap(([key, value]) => {
    const path = [...above, key];
    return isTree(value) ? [path, ...pathsOf(value, path)] : [path];
  });
}

const at = (tree: Tree, path: readonly string[]): unknown =>
  path.reduce<unknown>((value, key) => (value as Tree)[key], tree);

/** A copy with one field replaced, or added. */
function withField(tree: Tree, [key, ...rest]: readonly string[], value: unknown): Tree {
  return {
    ...tree,
    [key as string]: rest.length === 0 ? value : withField(tree[key as string] as Tree, rest, value),
  };
}

/** A copy of which only some branches are left, but `path` and what may not be missing. */
function thinned(tree: Tree, keep: (path: string) => boolean, path: readonly string[]): Tree {
  const kept = Object.entries(tree).filter(([key]) => key === path[0] || key === 'calls' || keep(key));
  return Object.fromEntries(
    kept.map(([key, value]) => [
      key,
      isTree(value) ? thinned(value, keep, key === path[0] ? path.slice(1) : []) : value,
    ]),
  );
}

const WRONG_FOR_ALL = [
  null,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -1,
  10n,
  new Date(0),
];
const WRONG_FOR_NUMBERS = [...WRONG_FOR_ALL, '5', '', true, [], [1], {}, () => 1, 1e300, new Number(5)];

function wrongValues(path: readonly string[]): unknown[] {
  const valid = at(VALID, path);
  const name = path.at(-1) as string;
  if (typeof valid === 'number')
    return WHOLE.test(name) ? [...WRONG_FOR_NUMBERS, 0.5, 2.000_1] : WRONG_FOR_NUMBERS;
  if (typeof valid === 'boolean') return [...WRONG_FOR_ALL, 'true', 0, 1, {}];
  if (name === 'tier') return [...WRONG_FOR_ALL, 'bsic', 'Basic', '', {}];
  if (typeof valid === 'string') return [...WRONG_FOR_ALL, '', {}, ['x']];
  if (typeof valid === 'function') return [...WRONG_FOR_ALL, 'success', {}];
  if (Array.isArray(valid)) return [...WRONG_FOR_ALL, 'GET', {}];
  return [...WRONG_FOR_ALL.filter((value) => !isTree(value)), 'x', [], true];
}

function errorOf(run: () => unknown): ConfigError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return error as ConfigError;
  }
  throw new Error('a ConfigError was to be thrown');
}

const fields = pathsOf(VALID);
const wrongField = fc
  .constantFrom(...fields)
  .chain((path) => fc.tuple(fc.constant(path), fc.constantFrom(...wrongValues(path)), fc.func(fc.boolean())));

describe('a wrong setting', () => {
  test('the settings that the cases start from are right', () => {
    expect(checkTargetOptions(VALID, 'x')).toBe(VALID);
    expect(() => resolveTarget([VALID], 'x')).not.toThrow();
  });

  test.each([
    ['checkTargetOptions', (options: Tree) => checkTargetOptions(options, 'targets.a')],
    ['resolveTarget', (options: Tree) => resolveTarget([options as TargetOptions], 'targets.a')],
  ])('any one field that is wrong is the path of the error: %s', (_name, check) => {
    fc.assert(
      fc.property(wrongField, ([path, wrong, keep]) => {
        const options = withField(thinned(VALID, keep, path), path, wrong);
        const error = errorOf(() => check(options));
        expect(error.path).toBe(`targets.a.${path.join('.')}`);
        if (!(wrong instanceof Object && isTree(wrong))) expect(error.given).toBe(wrong);
        expect(error.allowed).not.toBe('');
        expect(error.message.startsWith(`${error.path}: `)).toBe(true);
      }),
      { numRuns: 600 },
    );
  });

  test('names the place in a list', () => {
    const error = errorOf(() => checkTargetOptions({ policy: { retryMethods: ['GET', 'post'] } }, 'a'));
    expect([error.path, error.given]).toEqual(['a.policy.retryMethods[1]', 'post']);
    expect(error.allowed).toMatch(/HTTP method/);
  });

  test.each([
    [{ circuit: { openMs: -1 } }, 'a.circuit.openMs: -1 was given; allowed: a number from 1 to 3600000'],
    [{ circuit: { failureRate: 0 } }, 'a.circuit.failureRate: 0 was given; allowed: a number above 0 to 1'],
    [{ circuit: { probes: '3' } }, 'a.circuit.probes: "3" was given; allowed: a whole number from 1 to 50'],
    [{ exempt: 'yes' }, 'a.exempt: "yes" was given; allowed: true or false'],
    [{ tier: 'bsic' }, 'a.tier: "bsic" was given; allowed: basic. Did you mean basic?'],
    [{ classify: 5 }, 'a.classify: 5 was given; allowed: a function'],
  ])('%o: says what was given and what is allowed', (options, message) => {
    expect(errorOf(() => checkTargetOptions(options, 'a')).message).toBe(message);
  });

  test.each([null, undefined, 5, 'x', [], true, () => 1])('%o are no options at all', (options) => {
    expect(errorOf(() => checkTargetOptions(options, 'targets.a')).path).toBe('targets.a');
  });

  test('the longest open time is at least the first', () => {
    const error = errorOf(() => checkTargetOptions({ circuit: { openMs: 500, maxOpenMs: 499 } }, 'a'));
    expect([error.path, error.given, error.allowed]).toEqual([
      'a.circuit.maxOpenMs',
      499,
      'at least openMs (500)',
    ]);
    expect(() => resolveTarget([{ circuit: { openMs: 500 } }, { circuit: { maxOpenMs: 499 } }], 'a')).toThrow(
      ConfigError,
    );
  });

  test('a breaker alone checks its settings too, when it is made and when it is changed', () => {
    expect(errorOf(() => new CircuitBreaker({ openMs: 0 })).path).toBe('circuit.openMs');
    const breaker = new CircuitBreaker({ openMs: 100 });
    expect(errorOf(() => breaker.update({ probes: 0.5 })).path).toBe('circuit.probes');
    expect(breaker.settings.openMs).toBe(100);
  });
});

describe('an unknown key', () => {
  const objects: string[][] = [[], ...fields.filter((path) => isTree(at(VALID, path)))];
  const misspelt = fc.constantFrom(...objects).chain((path) => {
    const known = Object.keys(at(VALID, path) as Tree);
    return fc.record({
      path: fc.constant(path),
      key: fc.constantFrom(...known),
      place: fc.nat(20),
      way: fc.constantFrom('drop', 'double', 'upper', 'lower'),
    });
  });

  function misspell(key: string, place: number, way: string): string {
    const i = place % key.length;
    if (way === 'upper') return key.toUpperCase();
    if (way === 'lower') return `${key.toLowerCase()}s`;
    return key.slice(0, i) + (way === 'drop' ? '' : key.charAt(i) + key.charAt(i)) + key.slice(i + 1);
  }

  test('is refused at every depth, with the nearest name', () => {
    fc.assert(
      fc.property(misspelt, ({ path, key, place, way }) => {
        const wrong = misspell(key, place, way);
        fc.pre(!Object.hasOwn(at(VALID, path) as Tree, wrong));
        const error = errorOf(() => checkTargetOptions(withField(VALID, [...path, wrong], 7), 'a'));
        expect(error.path).toBe(['a', ...path, wrong].join('.'));
        expect(error.given).toBe(7);
        expect(error.message).toContain(`Did you mean ${key}?`);
        expect(error.allowed).toContain(key);
      }),
      { numRuns: 400 },
    );
  });

  test('is not explained where nothing is near', () => {
    const error = errorOf(() => checkTargetOptions({ circuit: { bananas: 1 } }, 'a'));
    expect(error.message).not.toContain('Did you mean');
    expect(error.allowed).toContain('failureRate');
  });

  test.each(['constructor', 'toString', 'hasOwnProperty'])('is unknown under the name of %s too', (key) => {
    expect(errorOf(() => checkTargetOptions({ circuit: { [key]: 1 } }, 'a')).path).toBe(`a.circuit.${key}`);
  });
});
