import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Target } from './target.ts';
import { createTestHealing } from './testing.ts';

const gc = globalThis.gc as () => void;

/** Garbage is found, and its finalizers run, within a few turns of the real event loop. */
async function collect(until: () => boolean): Promise<void> {
  for (let round = 0; round < 50 && !until(); round++) {
    gc();
    await turn();
  }
}

function drop(target: Target): void {
  const permit = target.acquire();
  if (!permit.ok) throw permit.toError();
}

describe('permits that are dropped without a release', () => {
  test('are found, one a tick, counted, and give their place back', async () => {
    const { runtime, clock } = createTestHealing({ defaults: { policy: { concurrency: 5 } } });
    const target = runtime.target('upstream:a');
    for (let i = 0; i < 5; i++) {
      drop(target);
      await clock.advance(20);
    }
    expect(target.acquire().ok).toBe(false);
    await collect(() => target.monitor.inFlight === 0);
    expect(target.monitor.inFlight).toBe(0);
    expect(runtime.status().coverage.permitsLeaked).toBe(5);
    expect(target.acquire().ok).toBe(true);
    expect(target.status().counts).toMatchObject({ success: 0, failure: 0, ignored: 0 });
  });

  test('are found whatever other targets are called before', async () => {
    const { runtime, clock } = createTestHealing();
    const others = ['upstream:b', 'upstream:c'].map((name) => runtime.target(name));
    const target = runtime.target('upstream:a');
    for (let i = 0; i < 60; i++) {
      for (const other of others) await other.run(() => 1);
      drop(target);
      await clock.advance(20);
    }
    const found = () => runtime.status().coverage.permitsLeaked;
    await collect(() => found() >= 15);
    expect(found()).toBeGreaterThanOrEqual(15);
  });

  test('are all found where places are limited, however many at a time', async () => {
    const { runtime } = createTestHealing({ defaults: { policy: { concurrency: 10 } } });
    const target = runtime.target('upstream:a');
    for (let i = 0; i < 10; i++) drop(target);
    expect(target.acquire().ok).toBe(false);
    await collect(() => target.monitor.inFlight === 0);
    expect(runtime.status().coverage.permitsLeaked).toBe(10);
    expect(target.acquire().ok).toBe(true);
  });

  test("a leaked probe's slot comes back", async () => {
    const { runtime } = createTestHealing({ defaults: { circuit: { probes: 1 } } });
    const target = runtime.target('upstream:a');
    await target.force('open');
    await target.force(null);
    drop(target);
    expect(target.acquire().ok).toBe(false);
    await collect(() => target.monitor.inFlight === 0);
    expect(runtime.status().coverage.permitsLeaked).toBe(1);
    expect(target.state).toBe('half-open');
    expect(target.acquire().ok).toBe(true);
  });

  test('give no place back in observe mode that they had not taken, or had given back', async () => {
    const defaults = { policy: { concurrency: 2 } };
    const { runtime } = createTestHealing({ mode: 'observe', defaults });
    const target = runtime.target('upstream:a');
    (() => {
      const permit = target.acquire();
      if (permit.ok) target.noteTimeout(permit);
    })();
    for (let i = 0; i < 3; i++) drop(target);
    expect(target.monitor).toMatchObject({ inFlight: 4, places: 2 });
    await collect(() => target.monitor.inFlight === 0);
    expect(target.monitor).toMatchObject({ inFlight: 0, places: 0 });
  });

  test('a released one is none, nor is one that is still held', async () => {
    const { runtime } = createTestHealing();
    const target = runtime.target('upstream:a');
    const held = target.acquire();
    const other = runtime.target('upstream:b');
    (() => {
      const permit = other.acquire();
      if (permit.ok) other.release(permit, 'success');
    })();
    await collect(() => false);
    expect(runtime.status().coverage.permitsLeaked).toBe(0);
    expect(target.monitor.inFlight).toBe(1);
    if (held.ok) target.release(held, 'success');
    expect([target.monitor.inFlight, other.monitor.inFlight]).toEqual([0, 0]);
  });

  test('with the emergency switch set nothing was counted, so nothing is given back', async () => {
    const { runtime } = createTestHealing({ disabled: true });
    const target = runtime.target('upstream:a');
    drop(target);
    await collect(() => false);
    expect(runtime.status().coverage.permitsLeaked).toBe(0);
    expect(target.monitor.inFlight).toBe(0);
  });
});

test('over 200,000 calls of every kind no permit is lost, and memory does not grow', {
  timeout: 60_000,
}, async () => {
  const { runtime, clock } = createTestHealing({
    defaults: { timeoutMs: 40, retry: { maxRetries: 1 }, policy: { neverOpen: true } },
  });
  const target = runtime.target('upstream:a');
  const other = runtime.target('upstream:b');
  const kinds: (() => unknown)[] = [
    () => target.run(() => 1).catch(() => {}),
    () => target.run(async () => 1).catch(() => {}),
    () => target.run(() => Promise.reject(new Error('no')), { idempotent: true }).catch(() => {}),
    () => target.run(() => new Promise(() => {})).catch(() => {}),
    () => {
      const permit = target.acquire();
      if (permit.ok) target.release(permit, 'success');
    },
    () => {
      const permit = target.acquire();
      if (permit.ok) target.release(permit, 'success', other);
    },
    () => {
      const permit = target.acquire();
      if (permit.ok) target.abandon(permit);
    },
  ];
  const round = async (calls: number) => {
    for (let call = 0; call < calls; call += 1_000) {
      for (let i = 0; i < 1_000; i++) kinds[(call + i) % kinds.length]?.();
      await clock.advance(20);
    }
    await clock.advance(3_000);
    gc();
    await turn();
    gc();
    return process.memoryUsage().heapUsed;
  };
  const before = await round(40_000);
  const after = await round(160_000);
  expect([target.monitor.inFlight, other.monitor.inFlight]).toEqual([0, 0]);
  expect(runtime.status().coverage).toMatchObject({ permitsLeaked: 0, lateReleases: 0 });
  expect(after - before).toBeLessThan(4 * 1024 * 1024);
  const { counts } = target.status();
  expect(counts.success + counts.failure + counts.ignored + counts.refused).toBeGreaterThan(150_000);
});
