import { describe, expect, test } from 'vitest';
import type { HealingOptions } from '../healing.ts';
import { createTestHealing } from '../testing.ts';
import { presetOf } from './profiles.ts';
import { PROFILE_NAMES } from './schema.ts';
import { resolveTarget } from './settings.ts';
import { highestUpTo } from './tier-names.ts';

const settingsOf = (name: string, options: HealingOptions = {}) =>
  createTestHealing(options as never).runtime.target(name).settings;

describe('profiles', () => {
  test.each(PROFILE_NAMES)('%s: its preset is in force, and complete', (profile) => {
    const settings = settingsOf('route:GET /', { defaults: { profile } });
    expect(settings).toMatchObject(presetOf(profile));
    expect(settings).toEqual(resolveTarget([{ profile }], 'x'));
  });

  test('routes are api, upstreams external, where nothing is said', () => {
    expect(settingsOf('route:GET /')).toMatchObject({ profile: 'api' });
    expect(settingsOf('route:GET /').timeoutMs).toBeUndefined();
    expect(settingsOf('upstream:a')).toMatchObject({ profile: 'external', timeoutMs: 10_000 });
  });

  test('whatever anybody writes is stronger than the preset, be it in the defaults', () => {
    const settings = settingsOf('upstream:a', {
      defaults: { circuit: { windowMs: 20_000 } },
      targets: { 'upstream:a': { profile: 'pipeline' } },
    });
    expect(settings.circuit).toMatchObject({ windowMs: 20_000, minimumCalls: 50 });
    expect(settings.timeoutMs).toBe(10_000);
  });

  test('may be changed at run time, and taken back', () => {
    const { runtime } = createTestHealing();
    const target = runtime.target('upstream:a');
    target.update({ profile: 'core-service' });
    expect(target.settings.circuit).toMatchObject({ failureRate: 0.7, probes: 5 });
    target.update({ profile: null });
    expect(target.settings.circuit).toMatchObject({ failureRate: 0.5, probes: 3 });
  });

  test('the tier of a profile is the highest that there is, up to its own', () => {
    expect(highestUpTo('basic')).toBe('basic');
    expect(highestUpTo('full')).toBe(highestUpTo('advanced'));
    for (const profile of PROFILE_NAMES)
      expect(settingsOf('upstream:a', { defaults: { profile } }).tier).toBe('basic');
  });

  test('an unknown one is a ConfigError that says which there are', () => {
    expect(() => settingsOf('a', { defaults: { profile: 'apy' as never } })).toThrow('Did you mean api?');
  });
});
