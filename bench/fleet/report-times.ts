import { report } from '../../packages/core/src/store/conformance/inputs.ts';
import type { Report, Store } from '../../packages/core/src/store/store.ts';
import { pause } from '../../test/conformance/harness/wait.ts';
import type { ScriptTimer } from './script-timer.ts';
import { chunksOf } from './trips.ts';

/** As `Fleet` sends them: so many targets a call, and with the replicas that report on each, so many reports. */
const MOST_TARGETS_A_CALL = 10;
const MOST_REPORTS_A_CALL = 200;
/** After so long the script adds up reports anew, however many there are. */
const EVALUATED_AGAIN_MS = 105;

/** @returns names of those cases that no replica sends: all targets in one call, however many */
export async function timeReports(timer: ScriptTimer, sizes: readonly number[]): Promise<Set<string>> {
  const store = await timer.store('reports');
  const neverSent = new Set<string>();
  for (const targets of sizes) {
    for (const reporters of sizes) {
      const name = `report on ${targets} targets by ${reporters}`;
      const chunk = chunkFor(reporters);
      await timeFlushes(timer, store, name, { targets, reporters, chunk });
      if (targets <= chunk) continue;
      const whole = `${name}, in one call`;
      neverSent.add(whole);
      await timeFlushes(timer, store, whole, { targets, reporters, chunk: targets });
    }
  }
  return neverSent;
}

function chunkFor(live: number): number {
  return Math.max(1, Math.min(MOST_TARGETS_A_CALL, Math.floor(MOST_REPORTS_A_CALL / live)));
}

interface Flush {
  readonly targets: number;
  readonly reporters: number;
  readonly chunk: number;
}

/** Every call adds up the reports of all, asks for more, and opens nothing: the longest way through the script. */
async function timeFlushes(
  timer: ScriptTimer,
  store: Store,
  name: string,
  { targets, reporters, chunk }: Flush,
): Promise<void> {
  const names = Array.from({ length: targets }, (_, i) => `${name.replaceAll(' ', '-')}-${i}`);
  const flush: Report[][] = [];
  for (const some of chunksOf(names, chunk)) {
    const first = some.map((target) => suspicious(target));
    const views = await store.report('replica-0', first);
    const reports = views.map(({ target, epoch, epochId }) => suspicious(target, { epoch, epochId }));
    for (let i = 1; i < reporters; i++) await store.report(`replica-${i}`, reports);
    flush.push(reports);
  }
  for (let i = 0; i < timer.repetitions; i++) {
    await pause(EVALUATED_AGAIN_MS);
    for (const reports of flush) {
      await timer.note(name, () => store.report(`replica-${i % reporters}`, reports));
    }
  }
}

/** Enough failures to ask the fleet for more, and too low a rate to open anything. */
function suspicious(target: string, more: Partial<Report> = {}): Report {
  return report(target, { calls: 40, failures: 12, streak: 1, nextId: `${target}-made`, ...more });
}
