import { setTimeout as wait } from 'node:timers/promises';
import { createHealing } from '@healix/core';
import { atMost, figure, type Section } from '../report.ts';
import { estimateOf } from '../statistics.ts';

const TARGETS = 10_000;
const CALLS = 1_000;
const MOST_FRESH_BYTES = 2_048;
/** More than half of the histogram's 10 s, so that both of its halves are in use. */
const BETWEEN_HALVES_MS = 5_500;
/** Longer than every window, and enough for V8 to run the finalizers of what was collected. */
const IDLE_MS = 15_000;

/** What a target weighs on the heap: new, and at rest after it was used. */
export async function measureMemory(): Promise<Section> {
  await weigh(100, 0);
  const { fresh, used } = await weigh(TARGETS, 1);
  return {
    title: `Memory a target, of ${TARGETS.toLocaleString('en')}`,
    notes: [
      `heapUsed + arrayBuffers after collection, runtime and names included; measured once, since it hardly varies.`,
      `At rest: ${IDLE_MS / 1_000} s after ${CALLS.toLocaleString('en')} calls each, every one timed, half of them ${BETWEEN_HALVES_MS / 1_000} s before the rest.`,
    ],
    figures: [
      figure('target, fresh', 'bytes', estimateOf([fresh])),
      figure('target, at rest after calls', 'bytes', estimateOf([used])),
    ],
    aims: [atMost('bytes of a fresh target', MOST_FRESH_BYTES, fresh)],
  };
}

async function weigh(count: number, patience: number): Promise<{ fresh: number; used: number }> {
  const before = await heapBytes();
  const runtime = createHealing({ shared: false, maxTargets: count + 1, exactCallsPerTick: 1_000_000 });
  const targets = Array.from({ length: count }, (_, i) => runtime.target(`upstream:target-${i}`));
  if (new Set(targets).size !== count) throw new Error('some targets are shared');
  const fresh = ((await heapBytes()) - before) / count;
  await use(targets);
  await wait(patience * BETWEEN_HALVES_MS);
  await use(targets);
  await wait(patience * IDLE_MS);
  const used = ((await heapBytes()) - before) / count;
  await runtime.close();
  return { fresh, used };
}

/** Half of the calls, one target after the other, in turn. */
async function use(targets: readonly ReturnType<ReturnType<typeof createHealing>['target']>[]) {
  for (let call = 0; call < CALLS / 2; call++) {
    for (const target of targets) {
      const permit = target.acquire();
      if (!permit.ok) throw permit.toError();
      target.release(permit, 'success');
    }
    await new Promise(setImmediate);
  }
}

async function heapBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await new Promise(setImmediate);
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
