import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TargetOptions } from '../../config/schema.ts';
import { createTestHealing } from '../../testing.ts';
import { BasicTier } from '../../tiers/basic.ts';
import { registerTier } from '../../tiers/create.ts';

registerTier('above', (parts, settings) => new BasicTier(parts, settings));

/** An upstream whose calls take a second each, 20 a second. */
function setup(defaults: TargetOptions = {}) {
  const { runtime, clock } = createTestHealing({
    defaults: { tier: 'above', retry: { maxRetries: 0 }, recovery: { proveMs: 500 }, ...defaults },
  });
  const target = runtime.target('route:GET /');
  let sent = 0;
  /** The limits that were in force, one a tenth of a second. */
  const limits: (number | undefined)[] = [];
  const call = (status: number) => {
    const answer = new Promise<{ status: number }>((resolve) =>
      clock.setTimer(() => resolve({ status }), 1_000),
    );
    target.run(() => answer, { classify: undefined } as never).catch(() => {});
  };
  const traffic = async (share: number, ms: number) => {
    for (let left = ms; left > 0; left -= 50) {
      sent++;
      call(Math.floor(sent * share) > Math.floor((sent - 1) * share) ? 500 : 200);
      await clock.advance(50);
      if (left % 100 === 0) limits.push(target.settings.policy.concurrency);
    }
  };
  const story = () =>
    (runtime.incidents()[0]?.timeline ?? [])
      .filter(({ strategy }) => strategy === 'limit')
      .map(({ what }) => what);
  return { runtime, target, traffic, limits, story };
}

const inOrder = (limits: readonly (number | undefined)[]) =>
  limits.filter((limit, at) => limit !== limits[at - 1]);

describe('limit', () => {
  test('tightens from what is in flight while failures last, loosens step by step, and is verified and undone', async () => {
    const { runtime, target, traffic, limits, story } = setup();
    await traffic(0, 3_000);
    expect(limits).toEqual(limits.map(() => undefined));
    await traffic(0.3, 6_000);
    const tightening = inOrder(limits).slice(1);
    expect(tightening[0]).toBeGreaterThanOrEqual(10);
    expect(tightening[0]).toBeLessThanOrEqual(20);
    expect(tightening).toEqual(tightening.toSorted((a, b) => (b ?? 0) - (a ?? 0)));
    expect(tightening.length).toBeGreaterThan(2);
    const tightest = tightening.at(-1) ?? 0;
    expect(tightest).toBeGreaterThanOrEqual(5);
    limits.length = 0;
    await traffic(0, 6_000);
    expect(inOrder(limits)).toEqual([tightest, tightest * 2, tightest * 4, undefined]);
    expect(story()).toEqual(expect.arrayContaining(['responded', 'verified', 'undone']));
    expect(runtime.incidents()[0]).toMatchObject({ status: 'recovered', anomaly: { kind: 'error-rate' } });
    expect(target.settings.policy.concurrency).toBeUndefined();
  });

  test.each([1_800, 2_300, 2_800, 3_300])(
    'stays within a limit of the user, and gives it back: %i ms of failures',
    async (failingMs) => {
      const { target, traffic, limits } = setup({ policy: { concurrency: 25 } });
      await traffic(0, 2_000);
      await traffic(0.3, failingMs);
      await traffic(0, 6_000);
      expect(Math.min(...limits.map(Number))).toBeLessThan(20);
      expect(Math.max(...limits.map(Number))).toBe(25);
      expect(target.settings.policy.concurrency).toBe(25);
    },
  );

  test('that it is reached is no trouble of the target', async () => {
    const { runtime, traffic } = setup({ policy: { neverOpen: true } });
    await traffic(0, 3_000);
    await traffic(0.3, 6_000);
    await traffic(0.12, 10_000);
    await traffic(0, 6_000);
    expect(runtime.incidents().map(({ anomaly }) => anomaly.kind)).not.toContain('saturation');
  });

  test('what is in flight is what usually is: the moment may lie between two bursts', async () => {
    const { runtime, clock } = createTestHealing({
      defaults: {
        tier: 'above',
        retry: { maxRetries: 0 },
        recovery: { proveMs: 500 },
        policy: { neverOpen: true },
      },
    });
    const target = runtime.target('route:GET /');
    let first: number | undefined;
    // The loop looks on the half second from the first call; the bursts lie between.
    await target.run(() => ({ status: 200 }));
    await clock.advance(50);
    for (let second = 0; second < 12; second++) {
      for (let call = 0; call < 20; call++) {
        const status = second > 2 && call % 3 === 0 ? 500 : 200;
        target
          .run(() => new Promise((resolve) => clock.setTimer(() => resolve({ status }), 400)))
          .catch(() => {});
      }
      await clock.advance(450);
      first ??= target.settings.policy.concurrency;
      await clock.advance(550);
    }
    expect(first).toBeGreaterThanOrEqual(5);
  });

  test.each<[string, TargetOptions]>([
    ['in the basic tier', { tier: 'basic' }],
    ['past maxLevel', { recovery: { maxLevel: 2, proveMs: 500 } }],
  ])('is not laid %s', async (_where, options) => {
    const { traffic, story } = setup(options);
    await traffic(0, 2_000);
    await traffic(0.3, 6_000);
    expect(story()).toEqual([]);
  });

  test('is not laid for slow calls alone: a slow network is no crowd', async () => {
    const { traffic, story, runtime } = setup({
      circuit: { slowCallMs: 500, slowCallRate: 1 },
      policy: { neverOpen: true },
    });
    await traffic(0, 6_000);
    expect(runtime.incidents()[0]?.anomaly.kind).toBe('latency');
    expect(story()).toEqual([]);
  });

  test('however failures come and go, some calls have a place', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(0, 0.15, 0.3, 0.45), fc.integer({ min: 1, max: 30 })), {
          minLength: 3,
          maxLength: 6,
        }),
        async (phases) => {
          const { target, traffic, limits } = setup({ policy: { neverOpen: true } });
          for (const [share, tenths] of phases) await traffic(share, tenths * 100);
          for (const limit of limits) expect(limit ?? 2).toBeGreaterThanOrEqual(2);
          await traffic(0, 20_000);
          expect(target.settings.policy.concurrency).toBeUndefined();
        },
      ),
      { numRuns: 20 },
    );
  });
});
