import type { FleetView, Report, Store } from '../../packages/core/src/store/store.ts';
import { pause } from '../../test/conformance/harness/wait.ts';
import { report } from '../../test/fleet/store/fixtures.ts';

/** As `Fleet` sends them. */
const MOST_TARGETS_A_CALL = 20;
/** From the first sign of trouble until the fleet may open a circuit, and some more. */
const BEFORE_DECISION_MS = 250;

/** Targets that open for all with one more report: two replicas that are not there have opened them alone. */
export interface Primed {
  /** The reports that decide, in calls as a replica makes them. */
  readonly deciding: readonly (readonly Report[])[];
}

export async function prime(store: Store, targets: readonly string[]): Promise<Primed> {
  const views: FleetView[] = [];
  for (const some of chunksOf(targets, MOST_TARGETS_A_CALL)) {
    const first = some.map((target) => report(target, { open: true, nextId: `${target}-made` }));
    const made = await store.report('bench-one', first);
    await store.report('bench-two', made.map(deciding));
    views.push(...made);
  }
  await pause(BEFORE_DECISION_MS);
  return { deciding: chunksOf(views.map(deciding), MOST_TARGETS_A_CALL) };
}

export async function decide(store: Store, { deciding }: Primed): Promise<void> {
  for (const reports of deciding) {
    const views = await store.report('bench-one', reports);
    if (views.some(({ state }) => state !== 'open')) throw new Error('a report that should decide did not');
  }
}

export function chunksOf<T>(all: readonly T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (let at = 0; at < all.length; at += size) chunks.push(all.slice(at, at + size));
  return chunks;
}

function deciding({ target, epoch, epochId }: FleetView): Report {
  return report(target, { epoch, epochId, open: true, nextId: `${target}-open` });
}
