import { expect, test } from 'vitest';
import { ConfigError } from '../errors.ts';
import type { TargetOptions } from './schema.ts';
import { resolveTarget } from './settings.ts';
import { SettingsStack } from './settings-stack.ts';

function stackOn(base: TargetOptions) {
  return new SettingsStack('a', { layers: [base], settings: resolveTarget([base], 'a') });
}

test('route, update, overlay: each is stronger than what came before, and an overlay can be taken back', () => {
  const stack = stackOn({ timeoutMs: 1, circuit: { probes: 7 } });
  stack.setRoute({ timeoutMs: 2 });
  expect(stack.settings).toMatchObject({ timeoutMs: 2, circuit: { probes: 7 } });
  stack.overlay('limit', { timeoutMs: 4 });
  stack.update({ timeoutMs: 3 });
  stack.update({ deadlineMs: 9 });
  expect(stack.settings).toMatchObject({ timeoutMs: 4, deadlineMs: 9 });
  stack.overlay('limit', undefined);
  expect(stack.settings.timeoutMs).toBe(3);
  expect(stack.version).toBe(6);
});

test('the same route options again are no change, others come beside them', () => {
  const stack = stackOn({});
  const route = { timeoutMs: 2 };
  expect([stack.setRoute(route), stack.setRoute(route)]).toEqual([true, false]);
  expect(stack.setRoute({ timeoutMs: 2 })).toBe(false);
  stack.setRoute({ deadlineMs: 5 });
  expect(stack.settings).toMatchObject({ timeoutMs: 2, deadlineMs: 5 });
  stack.setRoute({ timeoutMs: 3 });
  expect(stack.settings).toMatchObject({ timeoutMs: 3, deadlineMs: 5 });
});

test('a function written inline is the same setting each time, and an update that changes nothing is none', () => {
  const stack = stackOn({});
  const inline = () => stack.setRoute({ classify: () => 'success' });
  expect([inline(), inline(), stack.update({ timeoutMs: 9 }), stack.update({ timeoutMs: 9 })]).toEqual([
    true,
    false,
    true,
    false,
  ]);
  expect(stack.version).toBe(3);
});

test('an update to another function of the same source is one', () => {
  const stack = stackOn({});
  const failsOn = (code: number) => ({
    classify: (result: unknown) => (result === code ? ('failure' as const) : ('success' as const)),
  });
  stack.update(failsOn(500));
  expect(stack.update(failsOn(404))).toBe(true);
  expect(stack.settings.classify?.(404, undefined)).toBe('failure');
});

test('what does not go together with the rest changes nothing, then or later', () => {
  const stack = stackOn({ circuit: { openMs: 500 } });
  const before = stack.settings;
  const clash = { circuit: { maxOpenMs: 100 } };
  for (const change of [
    () => stack.setRoute(clash),
    () => stack.update(clash),
    () => stack.overlay('isolate', clash),
    () => stack.update({ circuit: { probes: 0 } }),
  ]) {
    expect(change).toThrow(ConfigError);
    expect(stack.settings).toBe(before);
  }
  stack.update({ timeoutMs: 5 });
  expect(stack.settings).toMatchObject({ timeoutMs: 5, circuit: { openMs: 500 } });
});
