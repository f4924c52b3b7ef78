import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TargetOptions } from '../config/schema.ts';
import { rankOf } from '../config/tier-names.ts';
import { type TierRange, tierRangeSchema } from '../config/tier-schema.ts';
import { ConfigError } from '../errors.ts';
import type { HealingOptions } from '../healing.ts';
import { Incident, type IncidentEntry } from '../telemetry/incidents.ts';
import { createTestHealing } from '../testing.ts';
import { BasicTier } from './basic.ts';
import { TierController } from './controller.ts';
import { registerTier } from './create.ts';
import { trafficOn } from './traffic.test-helper.ts';

registerTier('third', (parts, settings) => new BasicTier(parts, settings));
registerTier('second', (parts, settings) => new BasicTier(parts, settings), { above: 'basic' });

const range = (given: object = {}): TierRange => tierRangeSchema.parse({ floor: 'basic', ...given });

let serial = 0;
function incidentWith(...entries: Partial<IncidentEntry>[]): Incident {
  const incident = new Incident(`i${++serial}`, 'a', { kind: 'error-rate', severity: 1, evidence: {} }, 0);
  for (const entry of entries) incident.add({ at: 0, what: 'unproven', ...entry });
  return incident;
}

const failed = () => incidentWith({ strategy: 'retry', level: 1 });

describe('the controller', () => {
  test('moves up by one when what was done did not prove itself', () => {
    const controller = new TierController(0);
    const incident = failed();
    expect(controller.look('basic', range(), incident, 0)).toEqual({
      tier: 'second',
      reason: `incident ${incident.id}: retry did not prove itself`,
    });
  });

  test('that looking on did not help says nothing of the tier; nor what another tier did', () => {
    const controller = new TierController(0);
    expect(
      controller.look('basic', range(), incidentWith({ strategy: 'observe', level: 0 }), 0),
    ).toBeUndefined();
    const handed = incidentWith({ strategy: 'retry', level: 1 }, { what: 'tier' });
    expect(controller.look('basic', range(), handed, 500)).toBeUndefined();
    handed.add({ at: 0, what: 'unproven', strategy: 'retry', level: 1 });
    expect(controller.look('basic', range(), handed, 1_000)?.tier).toBe('second');
  });

  test('moves up when all was tried in vain', () => {
    const incident = incidentWith();
    incident.status = 'gave-up';
    expect(new TierController(0).look('basic', range(), incident, 0)?.reason).toMatch(
      'all was tried in vain',
    );
  });

  test('moves up when incidents recur, not when they are rare', () => {
    const often = new TierController(0);
    const rare = new TierController(0);
    for (const [at, expected] of [
      [0, undefined],
      [100_000, undefined],
      [200_000, '3 incidents within 200 s'],
    ] as const) {
      expect(often.look('basic', range(), incidentWith(), at)?.reason).toBe(expected);
      expect(rare.look('basic', range(), incidentWith(), at * 2)).toBeUndefined();
    }
  });

  test('incidents of before a move do not count again', () => {
    const controller = new TierController(0);
    for (const at of [0, 1_000, 2_000]) controller.look('basic', range(), incidentWith(), at);
    for (const at of [3_000, 70_000, 80_000])
      expect(controller.look('second', range(), incidentWith(), at)?.tier).toBe(
        at === 80_000 ? 'third' : undefined,
      );
  });

  test('one incident, however long, does not recur', () => {
    const controller = new TierController(0);
    const incident = incidentWith();
    for (let now = 0; now < 200_000; now += 500)
      expect(controller.look('basic', range(), incident, now)).toBeUndefined();
  });

  test('stays for the dwell time, then goes on', () => {
    const controller = new TierController(0);
    controller.look('basic', range(), failed(), 0);
    const incident = failed();
    expect(controller.look('second', range(), incident, 500)).toBeUndefined();
    expect(controller.look('second', range(), incident, 60_499)).toBeUndefined();
    expect(controller.look('second', range(), incident, 60_500)?.tier).toBe('third');
  });

  test('moves down by one after a long calm, and again after another', () => {
    const controller = new TierController(0);
    expect(controller.look('third', range(), failed(), 1_000)).toBeUndefined();
    expect(controller.look('third', range(), undefined, 600_999)).toBeUndefined();
    expect(controller.look('third', range(), undefined, 601_000)).toEqual({
      tier: 'second',
      reason: 'no trouble for 600 s',
    });
    expect(controller.look('second', range(), undefined, 601_500)).toBeUndefined();
    expect(controller.look('second', range(), undefined, 1_201_499)).toBeUndefined();
    expect(controller.look('second', range(), undefined, 1_201_500)?.tier).toBe('basic');
  });

  test('that had to come back up waits twice as long the next time', () => {
    const controller = new TierController(0);
    controller.look('second', range(), undefined, 0);
    expect(controller.look('second', range(), undefined, 600_000)?.tier).toBe('basic');
    controller.look('basic', range(), undefined, 600_500);
    expect(controller.look('basic', range(), failed(), 700_000)?.tier).toBe('second');
    controller.look('second', range(), failed(), 700_500);
    expect(controller.look('second', range(), undefined, 1_900_499)).toBeUndefined();
    expect(controller.look('second', range(), undefined, 1_900_500)?.tier).toBe('basic');
  });

  test('never past the ceiling nor the floor', () => {
    expect(new TierController(0).look('second', range({ ceiling: 'second' }), failed(), 0)).toBeUndefined();
    const low = new TierController(0);
    expect(low.look('second', range({ floor: 'second' }), undefined, 1e7)).toBeUndefined();
    expect(low.look('basic', range(), undefined, 2e7)).toBeUndefined();
  });

  test('whatever happens: one step at a time, within the range, and no oftener than the dwell time', () => {
    const looks = fc.array(
      fc.record({
        afterMs: fc.integer({ min: 1, max: 400_000 }),
        trouble: fc.constantFrom('none', 'new', 'failed'),
      }),
      {
        minLength: 50,
        maxLength: 300,
      },
    );
    let moves = 0;
    fc.assert(
      fc.property(looks, fc.constantFrom('second', 'third'), (steps, ceiling) => {
        const limits = range({ ceiling, calmMs: 100_000 });
        const controller = new TierController(0);
        let tier = 'basic';
        let now = 0;
        let movedAt = Number.NEGATIVE_INFINITY;
        for (const { afterMs, trouble } of steps) {
          now += afterMs;
          const incident = trouble === 'none' ? undefined : trouble === 'new' ? incidentWith() : failed();
          const move = controller.look(tier, limits, incident, now);
          if (move === undefined) continue;
          moves++;
          expect(Math.abs(rankOf(move.tier) - rankOf(tier))).toBe(1);
          expect(rankOf(move.tier)).toBeLessThanOrEqual(rankOf(ceiling));
          expect(now - movedAt).toBeGreaterThanOrEqual(limits.dwellMs);
          ({ tier } = move);
          movedAt = now;
          now += 500;
          controller.look(tier, limits, undefined, now);
        }
      }),
    );
    expect(moves).toBeGreaterThan(100);
  });
});

describe('a range', () => {
  test.each<[string, object]>([
    ['tier', {}],
    ['tier', { dwellMs: 5 }],
    ['tier.floor', { floor: 'nothing' }],
    ['tier.dwellMs', { floor: 'basic', dwellMs: -1 }],
    ['tier.ceiling', { floor: 'third', ceiling: 'second' }],
    ['tier.start', { floor: 'second', start: 'basic' }],
    ['tier.roof', { floor: 'basic', roof: 'third' }],
  ])('%s is wrong in %j', (path, tier) => {
    const make = () => createTestHealing({ defaults: { tier: tier as never } });
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(expect.objectContaining({ path: `defaults.${path}` }));
  });

  test.each([
    [{ floor: 'second' }, 'second'],
    [{ ceiling: 'second' }, 'basic'],
    [{ start: 'third' }, 'third'],
  ])('%j begins in %s', (tier, start) => {
    const { runtime } = createTestHealing({ defaults: { tier } });
    expect(runtime.target('upstream:a').status().tier).toBe(start);
  });
});

function setup(tier: TargetOptions['tier'], more: HealingOptions = {}) {
  const { runtime, clock } = createTestHealing({ defaults: { tier }, ...more });
  const target = runtime.target('upstream:a');
  const traffic = trafficOn(target, clock);
  const moves = () => target.history().changes.filter(({ author }) => author === 'controller');
  return { runtime, clock, target, traffic, moves };
}

describe('a target with a range', () => {
  const tier = { floor: 'basic', ceiling: 'second', dwellMs: 1_000, calmMs: 20_000 };

  test('goes up in trouble and comes down in calm; the history and the events say why', async () => {
    const { runtime, target, traffic, moves } = setup(tier);
    const told: unknown[] = [];
    runtime.on('settings', ({ author, change }) => author === 'controller' && told.push(change));
    await traffic(0, 2_000);
    await traffic(0.25, 8_000);
    expect(target.status().tier).toBe('second');
    const [incident] = runtime.incidents();
    expect(moves()).toMatchObject([
      { change: { tier: 'second' }, reason: `incident ${incident?.id}: retry did not prove itself` },
    ]);
    await traffic(0, 40_000);
    expect(target.status().tier).toBe('basic');
    expect(moves()[1]).toMatchObject({
      change: { tier: 'basic' },
      reason: expect.stringMatching(/^no trouble for 2\d s$/),
    });
    expect(told).toEqual([{ tier: 'second' }, { tier: 'basic' }]);
    const { basic, second } = runtime.status().tiers;
    expect(basic).toMatchObject({ targets: 1, incidents: 1, handedOver: 1, recovered: 0 });
    expect(second).toMatchObject({ targets: 0, incidents: 1, recovered: 1 });
    expect(second?.timeToRecoverMs).toBeGreaterThan(7_000);
    expect((basic?.targetMs ?? 0) + (second?.targetMs ?? 0)).toBeGreaterThan(48_000);
    expect(second?.targetMs).toBeGreaterThan(20_000);
  });

  test('is moved back by a rollback, and then dwells there', async () => {
    const { target, traffic, moves } = setup({ ...tier, dwellMs: 5_000 });
    await traffic(0, 2_000);
    await traffic(0.25, 8_000);
    expect(target.status().tier).toBe('second');
    const [move] = moves();
    target.history().rollback((move?.version ?? 0) - 1);
    expect(target.status().tier).toBe('basic');
    await traffic(0.25, 4_000);
    expect(target.status().tier).toBe('basic');
    target.history().rollback(move?.version ?? 0);
    expect(target.status().tier).toBe('second');
  });

  test('that is given another range is at once within it', async () => {
    const { target, traffic } = setup(tier);
    await traffic(0, 2_000);
    await traffic(0.25, 8_000);
    target.update({ tier: { ceiling: 'basic' } });
    expect(target.status().tier).toBe('basic');
    target.update({ tier: 'third' });
    expect(target.status().tier).toBe('third');
  });

  test('in observe mode stays where it is: a move is an act', async () => {
    const { target, traffic } = setup(tier, { mode: 'observe' });
    await traffic(0, 2_000);
    await traffic(0.25, 8_000);
    expect(target.status().tier).toBe('basic');
  });
});

test('the loop counts what it spends on each tier', async () => {
  const { clock, runtime, target } = setup('third');
  const slow = {
    name: 'slow',
    level: 0,
    immediate: true,
    appliesTo: () => true,
    verify: () => true,
  } as const;
  runtime.recovery.register({ ...slow, execute: () => void clock.advanceSync(7) });
  for (let i = 0; i < 40; i++) {
    await target.run(() => ({ status: i % 2 === 0 ? 500 : 200 })).catch(() => {});
    await clock.advance(100);
  }
  expect(runtime.status().tiers.third?.loopMs).toBe(7);
});
