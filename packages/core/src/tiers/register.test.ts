import { describe, expect, test } from 'vitest';
import type { TargetOptions } from '../config/schema.ts';
import { ConfigError } from '../errors.ts';
import type { HealingOptions } from '../healing.ts';
import type { SelfHealing } from '../self-healing.ts';
import { createTestHealing } from '../testing.ts';
import { BasicTier, type HealingParts } from './basic.ts';
import { createSelfHealing, type MakeTier, registerTier } from './create.ts';
import { trafficOn } from './traffic.test-helper.ts';

/** What is registered stays: each name is used once in this file. */
registerTier('same', (parts, settings) => new BasicTier(parts, settings));

function setup(defaults: TargetOptions = {}, more: HealingOptions = {}) {
  const { runtime, clock } = createTestHealing({
    defaults: { circuit: { rampMs: 0 }, ...defaults },
    ...more,
  });
  const target = runtime.target('upstream:a');
  const traffic = trafficOn(target, clock);
  const story = () =>
    (runtime.incidents()[0]?.timeline ?? [])
      .filter(({ what }) => what !== 'transition')
      .map(({ what, strategy, detail }) => [what, strategy ?? detail].join(' '));
  return { runtime, clock, target, traffic, story };
}

describe('a registered tier', () => {
  test('is the tier of whoever names it: its six methods are called, with the parts and settings of the target', async () => {
    const made: [HealingParts, string][] = [];
    const called = new Set<string>();
    registerTier('watched', (parts, settings) => {
      made.push([parts, settings.tier]);
      return new Proxy(new BasicTier(parts, settings), {
        get(tier, key: keyof SelfHealing) {
          called.add(key);
          const own = tier[key];
          return typeof own === 'function' ? own.bind(tier) : own;
        },
      });
    });
    const { runtime, target, traffic } = setup({ tier: 'watched' });
    await traffic(1, 2_000);
    await traffic(0, 5_000);
    expect(made.map(([{ name, kind }, tier]) => [name, kind, tier])).toEqual([
      ['upstream:a', 'upstream', 'watched'],
    ]);
    for (const method of [
      'detectAnomaly',
      'selectResponse',
      'applyResponse',
      'verifyRecovery',
      'learnFromIncident',
    ])
      expect(called).toContain(method);
    expect(target.status()).toMatchObject({ tier: 'watched', status: 'healthy' });
    expect(called).toContain('getHealthStatus');
    expect(runtime.incidents()[0]?.status).toBe('recovered');
  });

  test('is made by createSelfHealing, too', () => {
    const { target } = setup();
    let seen = '';
    registerTier('alone', (parts, settings) => {
      seen = settings.tier;
      return new BasicTier(parts, settings);
    });
    expect(createSelfHealing('alone', { name: 'a', breaker: target.breaker }).getHealthStatus().status).toBe(
      'healthy',
    );
    expect(seen).toBe('alone');
  });

  test('that there is not is a ConfigError that names those that there are', () => {
    for (const tier of ['mine', 'advanced', 'toString']) {
      expect(() => setup({ tier })).toThrow(ConfigError);
      expect(() => setup({ tier })).toThrow(
        expect.objectContaining({
          path: 'defaults.tier',
          given: tier,
          allowed: expect.stringContaining('basic, same'),
        }),
      );
    }
    expect(() => setup({ tier: 'sane' })).toThrow('Did you mean same?');
    expect(() => setup().target.update({ tier: 'mine' })).toThrow(ConfigError);
  });

  test.each<[string, unknown[]]>([
    ['tier', ['basic', () => {}]],
    ['tier', ['same', () => {}]],
    ['tier', ['advanced', () => {}]],
    ['tier', ['full', () => {}]],
    ['tier', ['', () => {}]],
    ['tier', [5, () => {}]],
    ['make', ['new', undefined]],
    ['make', ['new', {}]],
    ['above', ['new', () => {}, { above: 'nothing' }]],
  ])('registered wrongly, %s is wrong: %j', (path, args) => {
    const register = () => (registerTier as (...args: unknown[]) => void)(...args);
    expect(register).toThrow(ConfigError);
    expect(register).toThrow(expect.objectContaining({ path }));
    expect(() => setup({ tier: 'new' })).toThrow(ConfigError);
  });

  test.each<[string, MakeTier]>([
    [
      'throws',
      () => {
        throw new Error('boom');
      },
    ],
    ['makes nothing', () => undefined as never],
    [
      'lacks a method',
      (parts, settings) => ({ detectAnomaly: new BasicTier(parts, settings).detectAnomaly }) as never,
    ],
  ])(
    'whose make %s harms no call: it is told of once, and the target is healed by the basic one',
    async (what, make) => {
      const tier = `broken: ${what}`;
      registerTier(tier, make);
      const { runtime, traffic } = setup({ tier });
      await traffic(1, 2_000);
      await traffic(0, 5_000);
      expect(runtime.incidents()[0]?.status).toBe('recovered');
      expect(runtime.status().callbackErrors).toEqual([
        expect.objectContaining({ target: 'upstream:a', callback: `tier ${tier}` }),
      ]);
      const { target } = setup();
      expect(() => createSelfHealing(tier, { name: 'a', breaker: target.breaker })).toThrow();
    },
  );

  test('whose health cannot be had does not take the status of the others with it', () => {
    registerTier('mute', (parts, settings) => {
      const tier = new BasicTier(parts, settings);
      return Object.assign(tier, {
        getHealthStatus() {
          throw new Error('boom');
        },
      });
    });
    const { runtime } = setup({ tier: 'mute' });
    runtime.target('route:GET /', { tier: 'basic' });
    expect(runtime.status().targets).toMatchObject({
      'upstream:a': { status: 'degraded', reasons: ['its tier mute throws: Error: boom'] },
      'route:GET /': { status: 'healthy' },
    });
  });
});

describe('a target whose tier is changed', () => {
  test('goes on with its incident: what the old tier did is undone at once, and the new one climbs by itself', async () => {
    const { target, runtime, traffic, story } = setup();
    await traffic(0, 2_000);
    await traffic(0.25, 6_000);
    expect(target.settings.retry.maxRetries).toBe(3);
    const [before] = runtime.incidents();
    target.update({ tier: 'same' }, { reason: 'it needs more' });
    expect(target.settings.retry.maxRetries).toBe(2);
    expect(target.status()).toMatchObject({ tier: 'same', incidentId: before?.id });
    expect(story().slice(-3)).toEqual([
      'undone retry',
      'undone observe',
      'tier basic to same: it needs more',
    ]);
    await traffic(0.25, 3_000);
    expect(story().at(-1)).toBe('responded retry');
    await traffic(0, 8_000);
    expect(runtime.incidents()).toMatchObject([{ id: before?.id, status: 'recovered' }]);
    expect(runtime.status().tiers).toMatchObject({
      basic: { targets: 0, incidents: 1, recovered: 0, handedOver: 1, verifiedShare: 0 },
      same: { targets: 1, incidents: 1, recovered: 1, handedOver: 0, verifiedShare: 1 },
    });
  });

  test('keeps what is known of the strategies', async () => {
    const { runtime, target, traffic } = setup({
      recovery: { proveMs: 500 },
      circuit: { openMs: 200, maxOpenMs: 200, rampMs: 0 },
    });
    for (const name of ['useless', 'useful'])
      runtime.recovery.register({ name, level: 5, appliesTo: () => true, execute() {}, verify: () => true });
    for (let incident = 0; incident < 3; incident++) {
      await traffic(1, 2_500);
      await traffic(0, 5_000);
    }
    target.update({ tier: 'same' });
    await traffic(1, 6_000);
    const tried = runtime.incidents()[0]?.timeline.map(({ strategy }) => strategy);
    expect(tried).toContain('useful');
    expect(tried).not.toContain('useless');
  });

  test('has the age of its incident: a person is told no later', async () => {
    const told: string[] = [];
    const { target, traffic } = setup({}, { notify: ({ id }) => void told.push(id) });
    await traffic(0.3, 9_000);
    target.update({ tier: 'same' });
    await traffic(0.3, 12_000);
    expect(told).toHaveLength(1);
  });

  test('loses what a tier without stepDown has laid over its settings, and what it lays later', async () => {
    let parts: HealingParts | undefined;
    registerTier('careless', (given, settings) => {
      parts = given;
      const tier = new BasicTier(given, settings);
      return Object.assign(tier, { stepDown: undefined });
    });
    const { target, traffic } = setup({ tier: 'careless' });
    await traffic(0, 500);
    parts?.overlay?.('mine', { timeoutMs: 5 });
    expect(target.settings.timeoutMs).toBe(5);
    target.update({ tier: 'basic' });
    expect(target.settings.timeoutMs).toBe(10_000);
    parts?.overlay?.('mine', { timeoutMs: 5 });
    expect(target.settings.timeoutMs).toBe(10_000);
  });

  test('is healed by the new one even where stepping down throws', async () => {
    registerTier('sore', (given, settings) => {
      const tier = new BasicTier(given, settings);
      return Object.assign(tier, {
        stepDown() {
          throw new Error('boom');
        },
      });
    });
    const { runtime, target, traffic } = setup({ tier: 'sore' });
    await traffic(0, 500);
    target.update({ tier: 'same' });
    expect(target.status().tier).toBe('same');
    expect(runtime.status().callbackErrors).toMatchObject([
      { callback: 'control loop', lastError: 'Error: boom' },
    ]);
  });

  test('by a rollback, too', async () => {
    const { target, traffic } = setup();
    await traffic(0, 500);
    target.update({ tier: 'same' });
    target.history().rollback(1);
    expect(target.status().tier).toBe('basic');
  });

  test('not by a recovery level: that is no setting of its', () => {
    const { target } = setup();
    expect(() => target.overlay('x', { tier: 'same' })).toThrow(ConfigError);
    expect(() => target.overlay('x', { profile: 'ui' })).toThrow(ConfigError);
  });
});
