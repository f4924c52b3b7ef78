import { describe, expect, test } from 'vitest';
import type { TargetOptions } from '../../config/schema.ts';
import type { HealingOptions } from '../../healing.ts';
import { createTestHealing } from '../../testing.ts';
import { BasicTier } from '../../tiers/basic.ts';
import { registerTier } from '../../tiers/create.ts';

registerTier('above', (parts, settings) => new BasicTier(parts, settings));

function setup(defaults: TargetOptions, more: HealingOptions = {}) {
  const { runtime, clock } = createTestHealing({
    defaults: { circuit: { openMs: 200, maxOpenMs: 200, rampMs: 0 }, ...defaults },
    ...more,
  });
  const target = runtime.target('upstream:a');
  const traffic = async (status: number, ms: number) => {
    for (let left = ms; left > 0; left -= 100) {
      await target.run(() => ({ status })).catch(() => {});
      await clock.advance(100);
    }
  };
  const whats = () =>
    runtime
      .incidents()[0]
      ?.timeline.filter(({ strategy }) => strategy === 'reset')
      .map(({ what }) => what);
  return { runtime, target, traffic, whats, clock };
}

describe("the user's hook", () => {
  test('is called once an open circuit alone has not helped, verified, and taken back', async () => {
    const told: unknown[] = [];
    const reset = (cause: unknown) => {
      told.push(cause);
      return () => told.push('taken back');
    };
    const { runtime, traffic, whats } = setup({ recovery: { reset } });
    await traffic(500, 2_000);
    expect(told).toEqual([]);
    await traffic(500, 1_000);
    const cause = { target: 'upstream:a', incidentId: runtime.incidents()[0]?.id };
    expect(told).toEqual([cause]);
    await traffic(200, 5_000);
    expect(runtime.incidents()[0]).toMatchObject({ status: 'recovered', level: 5 });
    expect(whats()).toEqual(['responded', 'verified', 'undone']);
    expect(told).toEqual([cause, 'taken back']);
  });

  test('that takes longer than the incident is taken back when it is through', async () => {
    let finish = (_takeBack: unknown) => {};
    const { runtime, traffic, clock } = setup({
      recovery: {
        reset: () =>
          new Promise((resolve) => {
            finish = resolve;
          }),
      },
    });
    await traffic(500, 3_000);
    await traffic(200, 5_000);
    expect(runtime.incidents()[0]?.status).toBe('recovered');
    let takenBack = 0;
    finish(() => takenBack++);
    await clock.advance(100);
    expect(takenBack).toBe(1);
  });

  test('that throws is part of the story, and harms nothing', async () => {
    const { runtime, traffic, whats } = setup({
      recovery: {
        reset: async () => {
          throw new Error('boom');
        },
      },
    });
    await traffic(500, 3_000);
    await traffic(200, 5_000);
    expect(whats()).toEqual(['responded', 'failed-to-respond', 'verified', 'undone']);
    expect(runtime.status().callbackErrors).toMatchObject([
      { callback: 'strategy reset', lastError: 'Error: boom' },
    ]);
  });

  test('is not called in observe mode, where it is written down', async () => {
    let calls = 0;
    const { traffic, whats } = setup({ recovery: { reset: () => calls++ } }, { mode: 'observe' });
    await traffic(500, 3_000);
    expect(whats()).toEqual(['responded']);
    expect(calls).toBe(0);
  });

  test('is not called below its level', async () => {
    let calls = 0;
    const { traffic } = setup({ recovery: { reset: () => calls++, maxLevel: 4 } });
    await traffic(500, 8_000);
    expect(calls).toBe(0);
  });
});

describe('connections that an adapter can renew', () => {
  test.each([
    ['above', true, ['responded']],
    ['above', false, []],
    ['basic', true, []],
  ])('in tier %s, renewable: %s', async (tier, renewable, expected) => {
    const { target, traffic, whats, clock } = setup({ tier });
    target.connections.renewable = renewable;
    await traffic(500, 3_000);
    expect(whats()).toEqual(expected);
    expect(target.connections.isRenewing(clock.now())).toBe(expected.length > 0);
    await traffic(200, 2_500);
    expect(target.connections.isRenewing(clock.now())).toBe(false);
  });

  test('are renewed for four seconds, however long the incident', async () => {
    const { target, traffic, clock } = setup({ tier: 'above' });
    target.connections.renewable = true;
    await traffic(500, 15_000);
    expect(target.connections.isRenewing(clock.now())).toBe(false);
  });
});
