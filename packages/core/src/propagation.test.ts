import { describe, expect, test, vi } from 'vitest';
import { withScope } from './ambient.ts';
import type { Priority } from './config/schema.ts';
import { Healing } from './healing.ts';
import type { Operation } from './policy/enforcer.ts';
import { type HeaderSettings, Propagation } from './propagation.ts';
import { RequestScope } from './request-scope.ts';
import { createTestHealing } from './testing.ts';

const NAME = 'x-left-ms';

const NO_PRIORITY = { name: 'x-matters', trust: false };
const NO_DEADLINE = { name: NAME, trust: false };
const deadlines = (deadline: HeaderSettings) => new Propagation(deadline, NO_PRIORITY);
const priorities = (priority: HeaderSettings) => new Propagation(NO_DEADLINE, priority);

describe('the header of a deadline', () => {
  const trusting = deadlines({ name: 'X-Left-Ms', trust: true });

  test('is read where it is trusted, and only there', () => {
    expect(trusting.leftMsOf({ [NAME]: '250' })).toBe(250);
    expect(trusting.leftMsOf({ [NAME]: '0' })).toBe(0);
    expect(trusting.leftMsOf({})).toBeUndefined();
    expect(deadlines({ name: NAME, trust: false }).leftMsOf({ [NAME]: '250' })).toBeUndefined();
  });

  test.each(['', '-1', '-0', '1.5', '1e3', ' 5', '5 ', '0x10', 'NaN', 'Infinity', '12, 13', '9999999999'])(
    'is not read where it says %j',
    (text) => {
      expect(trusting.leftMsOf({ [NAME]: text })).toBeUndefined();
    },
  );

  test('is sent where it is trusted, unless something else is said', () => {
    expect(trusting.headersFor(120.2, undefined)).toEqual({ [NAME]: '120' });
    expect(trusting.headersFor(-3, undefined)).toEqual({ [NAME]: '1' });
    expect(trusting.headersFor(Number.POSITIVE_INFINITY, undefined)).toBeUndefined();
    expect(deadlines({ name: NAME, trust: false }).headersFor(120, undefined)).toBeUndefined();
    expect(deadlines({ name: NAME, trust: true, send: false }).headersFor(120, undefined)).toBeUndefined();
    expect(deadlines({ name: NAME, trust: false, send: true }).headersFor(120, undefined)).toEqual({
      [NAME]: '120',
    });
  });

  test('has a name that is one', () => {
    const make = () => new Healing({ shared: false, deadlineHeader: { name: 'a b' } });
    expect(make).toThrow('deadlineHeader.name');
  });
});

describe('the header of a priority', () => {
  const trusting = priorities({ name: 'X-Matters', trust: true });

  test('is read where it is trusted, and only there', () => {
    for (const priority of ['critical', 'high', 'normal', 'low']) {
      expect(trusting.priorityOf({ 'x-matters': priority })).toBe(priority);
      expect(priorities(NO_PRIORITY).priorityOf({ 'x-matters': priority })).toBeUndefined();
    }
    for (const nonsense of ['', 'Critical', 'urgent', '0', 'low, high', 'constructor']) {
      expect(trusting.priorityOf({ 'x-matters': nonsense })).toBeUndefined();
    }
  });

  test('is sent where it is trusted or meant to be, if anything is said', () => {
    const endless = Number.POSITIVE_INFINITY;
    expect(trusting.headersFor(endless, 'high')).toEqual({ 'x-matters': 'high' });
    expect(trusting.headersFor(5, undefined)).toBeUndefined();
    expect(priorities({ ...NO_PRIORITY, send: true }).headersFor(5, 'low')).toEqual({ 'x-matters': 'low' });
    expect(priorities({ name: 'p', trust: true, send: false }).headersFor(5, 'low')).toBeUndefined();
    const both = new Propagation({ name: NAME, trust: true }, { name: 'p', trust: true });
    expect(both.headersFor(5, 'low')).toEqual({ [NAME]: '5', p: 'low' });
  });

  test('is another one than that of the deadline', () => {
    const name = 'X-Both';
    const make = () =>
      new Healing({ shared: false, deadlineHeader: { name }, priorityHeader: { name: 'x-both' } });
    expect(make).toThrow('priorityHeader.name');
  });
});

describe('how much a call matters', () => {
  const OPTIONS = { priorityHeader: { name: 'p', send: true } };
  const scope = (priority?: Priority) => {
    const { runtime } = createTestHealing();
    return new RequestScope(runtime.time, Number.POSITIVE_INFINITY, priority);
  };

  test.each<[string, Priority | undefined, Priority | undefined, Priority | undefined, object]>([
    ['nobody says anything', undefined, undefined, undefined, {}],
    ['as its request', undefined, undefined, 'low', { p: 'low' }],
    ['as its target says, not its request', undefined, 'high', 'low', { p: 'high' }],
    ['as it says itself', 'critical', 'high', 'low', { p: 'critical' }],
  ])('%s', async (_title, own, ofTarget, ofRequest, headers) => {
    const { runtime } = createTestHealing(OPTIONS);
    const target = runtime.target('upstream:a', { timeoutMs: 1_000, priority: ofTarget });
    const admit = vi.spyOn(target, 'admit');
    const call = () => target.run(({ headers }) => headers, own && { priority: own });
    expect(await withScope(scope(ofRequest), call)).toEqual(headers);
    const [wanted] = Object.values(headers);
    const [[operation]] = admit.mock.calls as [[Operation]];
    expect(operation.priority).toBe(wanted);
  });

  test('has a name: anything else is a ConfigError', async () => {
    const { runtime } = createTestHealing();
    const target = runtime.target('upstream:a');
    await expect(target.run(() => 1, { priority: 'urgent' as never })).rejects.toThrow('run.priority');
    expect(() => target.update({ priority: 'urgent' as never })).toThrow('priority');
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
