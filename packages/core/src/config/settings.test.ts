import { describe, expect, test } from 'vitest';
import { Healing } from '../healing.ts';
import type { TargetOptions } from './schema.ts';
import { mergeOptions, resolveCircuit, resolveTarget } from './settings.ts';

function expectFrozen(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  expect(Object.isFrozen(value)).toBe(true);
  for (const inner of Object.values(value)) expectFrozen(inner);
}

describe('resolveTarget', () => {
  test('fills in every default', () => {
    const { circuit, retry, policy, recovery, tier } = resolveTarget([], 'a');
    expect(tier).toBe('basic');
    expect(circuit).toMatchObject({ failureRate: 0.5, windowMs: 10_000, minimumCalls: 20, openMs: 1_000 });
    expect(circuit).toMatchObject({ maxOpenMs: 2_000, probes: 3, consecutiveFailures: 5 });
    expect(retry).toMatchObject({ maxRetries: 2, budget: 0.2, budgetPerSecond: 1 });
    expect(policy.retryMethods).not.toContain('POST');
    expect(recovery.maxLevel).toBe(6);
  });

  test('the later layer is the stronger, field by field; undefined says nothing; lists are replaced', () => {
    const layers: TargetOptions[] = [
      { timeoutMs: 1, circuit: { probes: 4, openMs: 50 }, policy: { denyMethods: ['GET', 'PUT'] } },
      { circuit: { openMs: 60, probes: undefined }, policy: { denyMethods: ['TRACE'], rate: { calls: 5 } } },
      { policy: { rate: { calls: 6, burst: 9 } } },
    ];
    const settings = resolveTarget(layers, 'a');
    expect(settings.timeoutMs).toBe(1);
    expect(settings.circuit).toMatchObject({ probes: 4, openMs: 60 });
    expect(settings.policy).toMatchObject({
      denyMethods: ['TRACE'],
      rate: { calls: 6, perMs: 1_000, burst: 9 },
    });
  });

  test('the longest open time follows a longer first one', () => {
    expect(resolveTarget([{ circuit: { openMs: 5_000 } }], 'a').circuit.maxOpenMs).toBe(5_000);
    expect(resolveTarget([{ circuit: { openMs: 5_000, maxOpenMs: 9_000 } }], 'a').circuit.maxOpenMs).toBe(
      9_000,
    );
  });

  test('what comes out is frozen through and through; what went in is left alone', () => {
    const given: TargetOptions = { circuit: { probes: 2 }, policy: { retryMethods: ['GET'] } };
    const copy = structuredClone(given);
    expectFrozen(resolveTarget([given], 'a'));
    expect(given).toEqual(copy);
    expect(Object.isFrozen(given.policy?.retryMethods)).toBe(false);
    given.policy?.retryMethods?.push('POST');
    expectFrozen(resolveTarget([], 'a'));
  });

  test('lists of two targets are not one list', () => {
    expect(resolveTarget([], 'a').policy.retryMethods).toEqual(resolveTarget([], 'b').policy.retryMethods);
    const given: TargetOptions = { policy: { retryMethods: ['GET'] } };
    const settings = resolveTarget([given], 'a');
    given.policy?.retryMethods?.push('POST');
    expect(settings.policy.retryMethods).toEqual(['GET']);
  });
});

test('resolveCircuit gives back what it resolved before, and nothing else', () => {
  const settings = resolveCircuit({ probes: 5 });
  expect(resolveCircuit(settings)).toBe(settings);
  expect(resolveCircuit({ ...settings })).not.toBe(settings);
  const { circuit } = resolveTarget([], 'a');
  expect(resolveCircuit(circuit)).toBe(circuit);
});

test('mergeOptions changes neither side, and does not reach the prototype', () => {
  const under = Object.freeze({ circuit: Object.freeze({ probes: 1 }), tier: 'basic' });
  const over = Object.freeze({ circuit: Object.freeze({ openMs: 5 }), retry: Object.freeze({ budget: 0 }) });
  const merged = mergeOptions(under, over);
  expect(merged).toEqual({ circuit: { probes: 1, openMs: 5 }, tier: 'basic', retry: { budget: 0 } });
  mergeOptions({}, JSON.parse('{"__proto__": {"polluted": true}}'));
  expect('polluted' in {}).toBe(false);
});

test.each([
  '{"__proto__": {"timeoutMs": 5}}',
  '{"circuit": {"__proto__": {"openMs": 5}}}',
  '{"policy": {"rate": {"calls": 1, "__proto__": {"perMs": 5}}}}',
  '{"constructor": {"prototype": {"timeoutMs": 5}}}',
])('settings read from JSON cannot reach a prototype: %s is a ConfigError everywhere', (json) => {
  const settings = JSON.parse(json);
  const runtime = new Healing({});
  for (const give of [
    () => new Healing(settings),
    () => new Healing({ defaults: settings }),
    () => new Healing({ targets: { a: settings } }),
    () => runtime.target('a', settings),
    () => runtime.target('b').update(settings),
    () => runtime.wrap('c', () => 1, settings),
  ]) {
    expect(give).toThrow(expect.objectContaining({ code: 'HEALIX_CONFIG' }));
  }
  expect('timeoutMs' in {} || 'openMs' in {} || 'perMs' in {}).toBe(false);
});

test('a target may be called like a property of every object', () => {
  const runtime = new Healing({ targets: JSON.parse('{"__proto__": {"timeoutMs": 5}}') });
  expect(runtime.target('__proto__').settings.timeoutMs).toBe(5);
  expect(runtime.target('constructor').settings.timeoutMs).toBe(10_000);
  expect('timeoutMs' in {}).toBe(false);
});

test('a window of few calls needs no more of them than it holds', () => {
  expect(resolveTarget([{ circuit: { windowCalls: 10 } }], 'a').circuit.minimumCalls).toBe(10);
  expect(resolveTarget([{ circuit: { windowCalls: 50 } }], 'a').circuit.minimumCalls).toBe(20);
  expect(() => resolveTarget([{ circuit: { windowCalls: 5, minimumCalls: 6 } }], 'a')).toThrow(
    expect.objectContaining({ path: 'a.circuit.minimumCalls', allowed: 'at most windowCalls (5)' }),
  );
});
