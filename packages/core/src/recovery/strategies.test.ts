import { describe, expect, test } from 'vitest';
import type { TargetOptions } from '../config/schema.ts';
import { ConfigError } from '../errors.ts';
import { createTestHealing } from '../testing.ts';
import { RecoveryRegistry } from './registry.ts';
import type { RecoveryContext, RecoveryStrategy } from './strategy.ts';

const strategy = (over: Partial<RecoveryStrategy> = {}): RecoveryStrategy => ({
  name: 'recycle',
  level: 5,
  appliesTo: () => true,
  execute: () => {},
  verify: () => true,
  ...over,
});

/** An upstream that is down for a while and then well, under strategies of the user's. */
function setup(own: RecoveryStrategy[], recovery: TargetOptions['recovery'] = {}) {
  const { runtime, clock } = createTestHealing({
    defaults: {
      circuit: { openMs: 200, maxOpenMs: 200, rampMs: 0 },
      recovery: { proveMs: 500, ...recovery },
    },
  });
  for (const each of own) runtime.recovery.register(each);
  const target = runtime.target('upstream:a');
  const traffic = async (status: number, ms: number) => {
    for (let left = ms; left > 0; left -= 100) {
      await target.run(() => ({ status })).catch(() => {});
      await clock.advance(100);
    }
  };
  const whats = (name: string) =>
    runtime
      .incidents()[0]
      ?.timeline.filter((entry) => entry.strategy === name)
      .map(({ what }) => what);
  return { runtime, clock, target, traffic, whats };
}

describe("a strategy of the user's", () => {
  test('at level 5 is climbed after isolation, sees what there is to see, is verified and undone', async () => {
    const seen: [string, RecoveryContext][] = [];
    const own = strategy({
      appliesTo: ({ target }) => target === 'upstream:a',
      execute: async (context) => {
        seen.push(['execute', context]);
        context.overlay({ timeoutMs: 777 });
      },
      verify: (context) => {
        seen.push(['verify', context]);
        return context.circuit === 'closed';
      },
      undo: (context) => {
        seen.push(['undo', context]);
        context.overlay({ timeoutMs: 1 });
      },
    });
    const { target, traffic, whats, runtime } = setup([own]);
    await traffic(500, 3_000);
    expect(target.settings.timeoutMs).toBe(777);
    expect(runtime.incidents()[0]?.level).toBe(5);
    await traffic(200, 5_000);
    expect(whats('recycle')?.slice(-2)).toEqual(['verified', 'undone']);
    expect(seen.map(([what]) => what)).toEqual(['execute', 'verify', 'undo']);
    expect(seen[0]?.[1]).toMatchObject({
      target: 'upstream:a',
      kind: 'upstream',
      anomaly: { kind: 'error-rate' },
      incident: { id: runtime.incidents()[0]?.id },
      settings: { tier: 'basic' },
    });
    expect(seen[0]?.[1].health.calls).toBeGreaterThan(0);
    expect(target.settings.timeoutMs).toBe(10_000);
  });

  test('is not asked for a target that it does not apply to, nor once it is removed', async () => {
    let executed = 0;
    const own = strategy({
      appliesTo: ({ target }) => target === 'upstream:b',
      execute: () => void executed++,
    });
    const { traffic, runtime } = setup([own]);
    const remove = runtime.recovery.register(strategy({ name: 'other', execute: () => void executed++ }));
    remove();
    await traffic(500, 3_000);
    expect(executed).toBe(0);
    expect(runtime.recovery.get('other')).toBeUndefined();
    expect(runtime.recovery.get('recycle')).toBe(own);
  });

  test.each<[string, Partial<RecoveryStrategy>, number]>([
    ['appliesTo', { appliesTo: boom }, 0],
    ['execute', { execute: boom }, 1],
    ['execute, later', { execute: async () => boom() }, 1],
    ['verify', { verify: boom }, 1],
    ['adjust', { adjust: boom }, 1],
    ['undo', { undo: boom }, 1],
    ['undo, later', { undo: async () => boom() }, 1],
  ])('that throws in %s harms nobody: it is counted, and health returns', async (_where, over, responded) => {
    const { runtime, target, traffic, whats } = setup([strategy(over)]);
    await traffic(500, 3_000);
    expect(whats('recycle')?.filter((what) => what === 'responded')).toHaveLength(responded);
    await traffic(200, 5_000);
    expect(runtime.incidents()[0]?.status).toBe('recovered');
    expect(target.status().status).toBe('healthy');
    const [told, ...others] = runtime.status().callbackErrors;
    expect(told).toMatchObject({
      target: 'upstream:a',
      callback: 'strategy recycle',
      lastError: 'Error: boom',
    });
    expect(others).toEqual([]);
  });

  test('a failed execute is part of the story, and the next level is climbed', async () => {
    const told: unknown[] = [];
    const { runtime, traffic, whats } = setup([
      strategy({ execute: boom }),
      strategy({ name: 'next', level: 5 }),
    ]);
    runtime.on('incident', ({ entry }) => told.push([entry.what, entry.strategy, entry.detail]));
    await traffic(500, 4_000);
    expect(whats('recycle')).toContain('failed-to-respond');
    expect(whats('next')).toContain('responded');
    expect(told).toContainEqual(['failed-to-respond', 'recycle', 'boom']);
  });

  test('that hangs holds up neither the climb nor the recovery; what it does later is not taken up', async () => {
    let wake = () => {};
    const hanging = strategy({
      execute: async ({ overlay }) => {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        overlay({ timeoutMs: 5 });
      },
    });
    const { runtime, clock, target, traffic, whats } = setup([hanging, strategy({ name: 'next' })]);
    await traffic(500, 4_000);
    expect(whats('next')).toContain('responded');
    await traffic(200, 5_000);
    expect(runtime.incidents()[0]?.status).toBe('recovered');
    wake();
    await clock.advance(100);
    expect(target.settings.timeoutMs).toBe(10_000);
  });

  test('an overlay that is wrong is its own failure, and changes nothing', async () => {
    const { target, traffic, whats } = setup([
      strategy({ execute: ({ overlay }) => overlay({ timeoutMs: -1 }) }),
    ]);
    await traffic(500, 3_000);
    expect(whats('recycle')).toContain('failed-to-respond');
    expect(target.settings.timeoutMs).toBe(10_000);
  });
});

describe('learning', () => {
  test('a strategy that was tried three times and never helped in time is passed over', async () => {
    const { traffic, whats } = setup([strategy({ name: 'useless' }), strategy({ name: 'useful' })]);
    const tried: boolean[] = [];
    for (let incident = 0; incident < 5; incident++) {
      await traffic(500, 2_500);
      await traffic(200, 5_000);
      tried.push(whats('useless')?.includes('responded') ?? false);
    }
    expect(tried).toEqual([true, true, true, false, false]);
  });
});

describe('the registry', () => {
  test('climbs by level, and at one level in the order of registration', () => {
    const registry = new RecoveryRegistry([]);
    registry.register(strategy({ name: 'c', level: 5 }));
    registry.register(strategy({ name: 'a', level: 1 }));
    registry.register(strategy({ name: 'd', level: 5 }));
    const failure = { settings: { recovery: { maxLevel: 6 } } } as never;
    expect(registry.applicable(failure, () => {}).map(({ name }) => name)).toEqual(['a', 'c', 'd']);
  });

  test.each<[string, unknown]>([
    ['strategy', null],
    ['strategy', 5],
    ['strategy.name', strategy({ name: '' })],
    ['strategy.name', strategy({ name: 'retry' })],
    ['strategy.level', strategy({ level: 7 as never })],
    ['strategy.level', strategy({ level: 1.5 as never })],
    ['strategy.appliesTo', strategy({ appliesTo: undefined as never })],
    ['strategy.execute', strategy({ execute: 'x' as never })],
    ['strategy.verify', strategy({ verify: undefined as never })],
    ['strategy.adjust', strategy({ adjust: 5 as never })],
    ['strategy.undo', strategy({ undo: 5 as never })],
  ])('%s is wrong in %o', (path, wrong) => {
    const { runtime } = createTestHealing();
    expect(() => runtime.recovery.register(wrong as never)).toThrow(expect.objectContaining({ path }));
    expect(() => runtime.recovery.register(wrong as never)).toThrow(ConfigError);
  });
});

function boom(): never {
  throw new Error('boom');
}
