import { describe, expect, test } from 'vitest';
import { Healing } from './healing.ts';
import { Propagation } from './propagation.ts';
import { createTestHealing } from './testing.ts';

const NAME = 'x-left-ms';

describe('the header of a deadline', () => {
  const trusting = new Propagation({ name: 'X-Left-Ms', trust: true });

  test('is read where it is trusted, and only there', () => {
    expect(trusting.leftMsOf({ [NAME]: '250' })).toBe(250);
    expect(trusting.leftMsOf({ [NAME]: '0' })).toBe(0);
    expect(trusting.leftMsOf({})).toBeUndefined();
    expect(new Propagation({ name: NAME, trust: false }).leftMsOf({ [NAME]: '250' })).toBeUndefined();
  });

  test.each(['', '-1', '-0', '1.5', '1e3', ' 5', '5 ', '0x10', 'NaN', 'Infinity', '12, 13', '9999999999'])(
    'is not read where it says %j',
    (text) => {
      expect(trusting.leftMsOf({ [NAME]: text })).toBeUndefined();
    },
  );

  test('is sent where it is trusted, unless something else is said', () => {
    expect(trusting.headersFor(120.2)).toEqual({ [NAME]: '121' });
    expect(trusting.headersFor(-3)).toEqual({ [NAME]: '1' });
    expect(trusting.headersFor(Number.POSITIVE_INFINITY)).toBeUndefined();
    expect(new Propagation({ name: NAME, trust: false }).headersFor(120)).toBeUndefined();
    expect(new Propagation({ name: NAME, trust: true, send: false }).headersFor(120)).toBeUndefined();
    expect(new Propagation({ name: NAME, trust: false, send: true }).headersFor(120)).toEqual({
      [NAME]: '120',
    });
  });

  test('has a name that is one', () => {
    const make = () => new Healing({ shared: false, deadlineHeader: { name: 'a b' } });
    expect(make).toThrow('deadlineHeader.name');
  });
});

describe('what a call is told of its headers', () => {
  const send = { deadlineHeader: { name: NAME, send: true } };

  test('the time that its attempt has, or what is left of the call', async () => {
    const { runtime, clock } = createTestHealing(send);
    const target = runtime.target('upstream:a', { timeoutMs: 300, deadlineMs: 400 });
    for (let i = 0; i < 20; i++) await target.run(() => 'quick');
    const seen: unknown[] = [];
    const fn = async ({ headers }: { headers: unknown }) => {
      seen.push(headers);
      await new Promise(() => {});
    };
    const call = target.run(fn, { idempotent: true }).catch(() => {});
    await clock.advance(1_000);
    await call;
    expect(seen).toHaveLength(2);
    expect(seen[0]).toEqual({ [NAME]: '300' });
    const second = Number((seen[1] as Record<string, string>)[NAME]);
    expect(second).toBeGreaterThan(0);
    expect(second).toBeLessThanOrEqual(100);
  });

  test.each([
    ['nothing limits it', { timeoutMs: undefined }, {}],
    ['its target is not told', { propagate: false }, {}],
    ['its target is exempt', { exempt: true }, {}],
    ['in observe mode', {}, { mode: 'observe' }],
    ['healing is off', {}, { disabled: true }],
    ['nothing is sent', {}, { deadlineHeader: { name: NAME } }],
  ] as const)('nothing where %s', async (_where, settings, options) => {
    const { runtime } = createTestHealing({ ...send, ...options });
    const name = 'timeoutMs' in settings ? 'route:GET /' : 'upstream:a';
    expect(await runtime.target(name, settings).run(({ headers }) => headers)).toEqual({});
  });
});
