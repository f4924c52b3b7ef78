import type { StoreError } from '@healix/core';
import { report } from '../../packages/core/src/store/conformance/inputs.ts';
import type { FleetView, Report, Store } from '../../packages/core/src/store/store.ts';
import { pause } from '../../test/conformance/harness/wait.ts';

/** As `Fleet` sends them. */
const MOST_TARGETS_A_CALL = 20;
/** From the first sign of trouble until the fleet may open a circuit, and some more. */
const BEFORE_DECISION_MS = 250;
/** So that what was primed first is still evidence when what was primed last is. */
const WINDOW_MS = 600_000;

/** Targets that one replica has opened alone; they open for all with the report of a second. Neither is really there. */
export interface Primed {
  /** The reports that decide, in calls as a replica makes them. */
  readonly deciding: readonly (readonly Report[])[];
}

export async function prime(store: Store, targets: readonly string[]): Promise<Primed> {
  const views: FleetView[] = [];
  for (const some of chunksOf(targets, MOST_TARGETS_A_CALL)) {
    const first = some.map((target) => openReport(target, { nextId: `${target}-made` }));
    views.push(...(await store.report('bench-one', first)));
  }
  await pause(BEFORE_DECISION_MS);
  return { deciding: chunksOf(views.map(deciding), MOST_TARGETS_A_CALL) };
}

export async function decide(store: Store, { deciding }: Primed): Promise<void> {
  for (const reports of deciding) {
    const views = await untilAnswered(() => store.report('bench-two', reports));
    if (views.some(({ state }) => state !== 'open')) throw new Error('a report that should decide did not');
  }
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
