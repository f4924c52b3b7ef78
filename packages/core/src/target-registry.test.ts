import { describe, expect, test } from 'vitest';
import { ConfigError } from './errors.ts';
import type { Target } from './target.ts';
import { createTestHealing } from './testing.ts';

const gc = globalThis.gc as () => void;
const names = (runtime: ReturnType<typeof createTestHealing>['runtime']) =>
  Object.keys(runtime.status().targets);

/** Time passes while another target has some traffic, without which nothing would tick. */
async function pass(world: ReturnType<typeof createTestHealing>, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 10_000) {
    await world.runtime.target('upstream:busy').run(() => 1);
    world.clock.advanceSync(Math.min(left, 10_000));
    await world.clock.advance(0);
  }
}

describe('names', () => {
  test('one name is one target', () => {
    const { runtime } = createTestHealing();
    expect(runtime.target('upstream:a')).toBe(runtime.target('upstream:a'));
    expect(runtime.target('upstream:a').kind).toBe('upstream');
    expect(runtime.target('route:GET /a').kind).toBe('route');
  });

  test.each([undefined, null, '', 5, {}])('%j is no name', (name) => {
    const { runtime } = createTestHealing();
    expect(() => runtime.target(name as never)).toThrow(ConfigError);
  });

  test('odd ones do no harm', async () => {
    const { runtime } = createTestHealing();
    for (const name of ['__proto__', 'constructor', 'a"b\\c\nd', ' ', '💥']) {
      await runtime.target(name).run(() => 1);
      expect(Object.hasOwn(runtime.status().targets, name)).toBe(true);
    }
  });

  test('past maxTargets new names of a kind share one target, whose settings none of them changes', () => {
    const { runtime } = createTestHealing({ maxTargets: 2 });
    const [a, b] = [runtime.target('upstream:a'), runtime.target('route:GET /b')];
    const shared = runtime.target('upstream:c', { timeoutMs: 5 });
    expect(shared.name).toBe('upstream:other');
    expect(runtime.target('upstream:d')).toBe(shared);
    expect(runtime.target('route:GET /e').name).toBe('route:other');
    expect([runtime.target('upstream:a'), runtime.target('route:GET /b')]).toEqual([a, b]);
    expect(shared.settings.timeoutMs).toBe(10_000);
    expect(shared.settingsVersion).toBe(1);
    expect(() => runtime.target('upstream:f', { timeoutMs: -5 })).toThrow(ConfigError);
    for (let i = 0; i < 1_000; i++) runtime.target(`upstream:${i}`);
    expect(names(runtime)).toHaveLength(4);
  });
});

describe('targets that nobody uses', () => {
  test('are dropped after ten minutes, not before', async () => {
    const world = createTestHealing();
    await world.runtime.target('upstream:a').run(() => 1);
    world.runtime.target('upstream:never called');
    await pass(world, 590_000);
    expect(names(world.runtime)).toEqual(expect.arrayContaining(['upstream:a', 'upstream:never called']));
    await pass(world, 150_000);
    expect(names(world.runtime)).toEqual(['upstream:busy']);
  });

  test('short use between two sweeps is use', async () => {
    const world = createTestHealing();
    const target = world.runtime.target('upstream:a');
    for (let i = 0; i < 30; i++) {
      await target.run(() => 1);
      await pass(world, 50_000);
    }
    expect(names(world.runtime)).toContain('upstream:a');
  });

  test('stay while they are open, forced, updated, busy or waited for', async () => {
    const world = createTestHealing({ defaults: { retry: { maxRetries: 0 }, recovery: { calmMs: 10 } } });
    const { runtime } = world;
    for (let i = 0; i < 5; i++) await runtime.target('upstream:open').run(() => ({ status: 500 }));
    await runtime.target('upstream:forced').force('closed');
    runtime.target('upstream:updated').update({ timeoutMs: 5 });
    runtime.target('route:busy').acquire();
    await pass(world, 1_500_000);
    const kept = ['upstream:open', 'upstream:forced', 'upstream:updated', 'route:busy', 'upstream:busy'];
    expect(names(runtime).sort()).toEqual(kept.sort());
    expect(runtime.target('upstream:open').state).not.toBe('closed');
  });

  test('one that somebody still holds stays the same target, and comes back when it is used', async () => {
    const world = createTestHealing();
    const { runtime } = world;
    const held = runtime.target('upstream:nightly', { timeoutMs: 77 });
    const other = runtime.target('upstream:other one');
    await held.run(() => 1);
    await pass(world, 800_000);
    expect(names(runtime)).not.toContain('upstream:nightly');
    await held.run(() => 2);
    expect(names(runtime)).toContain('upstream:nightly');
    expect(runtime.target('upstream:nightly')).toBe(held);
    expect(held.status().counts.success).toBe(2);
    expect(runtime.target('upstream:other one')).toBe(other);
  });

  test('one that nobody holds is forgotten for good', async () => {
    const world = createTestHealing();
    const { runtime } = world;
    const references: WeakRef<Target>[] = [];
    (() => references.push(new WeakRef(runtime.target('upstream:gone'))))();
    await pass(world, 800_000);
    // To look at a WeakRef keeps what it holds alive for a turn.
    for (let i = 0; i < 5; i++) {
      await world.clock.advance(0);
      gc();
    }
    expect(references[0]?.deref()).toBeUndefined();
    await pass(world, 120_000);
    expect(runtime.target('upstream:gone').status().counts.success).toBe(0);
  });
});

test('settings that clash with the defaults are found before there is a target', () => {
  const defaults = { circuit: { maxOpenMs: 1_500 } };
  const targets = { 'upstream:a': { circuit: { openMs: 5_000 } } };
  expect(() => createTestHealing({ defaults, targets })).toThrow(
    expect.objectContaining({ path: 'targets.upstream:a.circuit.maxOpenMs' }),
  );
});
