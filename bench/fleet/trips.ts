import type { StoreError } from '@healix/core';
import { report } from '../../packages/core/src/store/conformance/inputs.ts';
import type { FleetView, Report, Store } from '../../packages/core/src/store/store.ts';
import { pause } from '../../test/conformance/harness/wait.ts';

/** As `Fleet` sends them. */
const MOST_TARGETS_A_CALL = 10;
/** From the first sign of trouble until the fleet may open a circuit, and some more. */
const BEFORE_DECISION_MS = 250;
/** What was primed longer ago is told again first, as replicas do: soon it would be evidence no more. */
const FRESH_MS = 1_500;
/** So that healthy reports of the same targets count as long as a benchmark takes. */
const WINDOW_MS = 600_000;

/** Targets that one replica has opened alone; they open for all with the report of a second. Neither is really there. */
export interface Primed {
  /** The reports that decide, in calls as a replica makes them. */
  readonly deciding: readonly (readonly Report[])[];
  readonly at: number;
}

export async function prime(store: Store, targets: readonly string[]): Promise<Primed> {
  const at = performance.now();
  const views: FleetView[] = [];
  for (const some of chunksOf(targets, MOST_TARGETS_A_CALL)) {
    const first = some.map((target) => openReport(target, { nextId: `${target}-made` }));
    views.push(...(await store.report('bench-one', first)));
  }
  await pause(BEFORE_DECISION_MS);
  return { deciding: chunksOf(views.map(deciding), MOST_TARGETS_A_CALL), at };
}

/** @returns how many calls had to be told again, each of which asks all replicas once more */
export async function decide(store: Store, { deciding, at }: Primed): Promise<number> {
  let again = 0;
  for (const reports of deciding) {
    if (performance.now() - at > FRESH_MS) {
      await untilAnswered(() => store.report('bench-one', reports));
      again++;
    }
    const views = await untilAnswered(() => store.report('bench-two', reports));
    if (views.some(({ state }) => state !== 'open')) throw new Error('a report that should decide did not');
  }
  return again;
}

/** The client gives up after two seconds, whatever the store does; the same report again does no harm. */
async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if ((error as StoreError).reason !== 'timeout') throw error;
    }
  }
}

export function chunksOf<T>(all: readonly T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (let at = 0; at < all.length; at += size) chunks.push(all.slice(at, at + size));
  return chunks;
}

function deciding({ target, epoch, epochId }: FleetView): Report {
  return openReport(target, { epoch, epochId, nextId: `${target}-open` });
}

function openReport(target: string, more: Partial<Report>): Report {
  const own = report(target, { ...more, open: true });
  return { ...own, terms: { ...own.terms, windowMs: WINDOW_MS } };
}
