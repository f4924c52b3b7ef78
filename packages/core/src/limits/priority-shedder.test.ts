import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PRIORITIES as BY_WEIGHT } from '../config/schema.ts';
import { seededRandom } from '../time/random.ts';
import { PriorityShedder } from './priority-shedder.ts';

/** What is shed first comes first. */
const PRIORITIES = BY_WEIGHT.toReversed();

function sharesAt(load: number): number[] {
  const shedder = new PriorityShedder({ from: 0.7, until: 0.94 });
  shedder.update(load);
  return PRIORITIES.map((priority) => Math.round(shedder.shareOf(priority) * 100) / 100);
}

test.each([
  [0, [0, 0, 0, 0]],
  [0.69, [0, 0, 0, 0]],
  [0.74, [0.5, 0, 0, 0]],
  [0.78, [1, 0, 0, 0]],
  [0.82, [1, 0.5, 0, 0]],
  [0.9, [1, 1, 0.5, 0]],
  [0.94, [1, 1, 1, 0]],
  [0.97, [1, 1, 1, 0.5]],
  [1, [1, 1, 1, 1]],
])('at a load of %d: low, normal, high, critical', (load, shares) => {
  expect(sharesAt(load)).toEqual(shares);
});

describe('hysteresis', () => {
  test('a load that wavers changes nothing, one that falls is followed', () => {
    const shedder = new PriorityShedder({ from: 0.7, until: 0.94, hysteresis: 0.05 });
    shedder.update(0.82);
    const share = shedder.shareOf('normal');
    for (const load of [0.8, 0.775, 0.81, 0.82]) {
      shedder.update(load);
      expect(shedder.shareOf('normal')).toBe(share);
    }
    shedder.update(0.75);
    expect(shedder.shareOf('normal')).toBeCloseTo(0.25, 5);
    shedder.update(0.6);
    expect(shedder.shareOf('low')).toBe(0);
  });

  test('a load that rises is followed at once', () => {
    const shedder = new PriorityShedder();
    shedder.update(0);
    shedder.update(1);
    expect(shedder.shareOf('critical')).toBe(1);
  });
});

test('what is not known, or out of bounds, is harmless', () => {
  const shedder = new PriorityShedder({ until: 1 });
  shedder.update(Number.NaN);
  expect(shedder.shareOf('low')).toBe(0);
  shedder.update(7);
  expect([shedder.shareOf('high'), shedder.shareOf('critical')]).toEqual([1, 0]);
  shedder.update(-7);
  expect(shedder.shareOf('low')).toBe(0);
});

test('as many are shed as the share says, and none is asked of chance when it is clear', () => {
  const shedder = new PriorityShedder({ from: 0.7, until: 0.94 });
  shedder.update(0.8);
  const random = seededRandom(1);
  let shed = 0;
  for (let call = 0; call < 10_000; call++) if (shedder.sheds('normal', random)) shed++;
  expect(shed / 10_000).toBeCloseTo(0.25, 1);
  const noChance = {
    next: () => {
      throw new Error('asked');
    },
  };
  expect(shedder.sheds('low', noChance)).toBe(true);
  expect(shedder.sheds('high', noChance)).toBe(false);
});

test('cumulative, whatever the load did: a class is touched only when those below are gone', () => {
  const loads = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(loads, (all) => {
      const shedder = new PriorityShedder();
      for (const load of all) {
        shedder.update(load);
        const shares = PRIORITIES.map((priority) => shedder.shareOf(priority));
        for (let rank = 1; rank < shares.length; rank++) {
          if ((shares[rank] as number) > 0) expect(shares[rank - 1]).toBe(1);
        }
        if (load < 0.6) expect(shares).toEqual([0, 0, 0, 0]);
      }
    }),
  );
});

test('in a closed loop: twice the load, and the important half of it is served', () => {
  const shedder = new PriorityShedder();
  const random = seededRandom(3);
  const capacity = 100;
  let queue = 0;
  const served = new Map(PRIORITIES.map((priority) => [priority, 0]));
  for (let tick = 0; tick < 1_000; tick++) {
    for (let call = 0; call < 20; call++) {
      const priority = PRIORITIES[call % 4] as (typeof PRIORITIES)[number];
      if (shedder.sheds(priority, random)) continue;
      queue++;
      served.set(priority, (served.get(priority) ?? 0) + 1);
    }
    queue = Math.max(0, queue - capacity / 10);
    shedder.update(queue / 50);
    expect(queue).toBeLessThan(60);
  }
  expect(served.get('critical')).toBe(5_000);
  expect(served.get('high')).toBeGreaterThan(4_000);
  expect(served.get('low')).toBeLessThan(1_000);
});
