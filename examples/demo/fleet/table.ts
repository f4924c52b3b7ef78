import { printColumns } from '../columns.ts';
import { total } from '../tally.ts';
import { seconds } from '../view.ts';
import type { FleetTally } from './tally.ts';

export interface Halves {
  readonly without: FleetTally;
  readonly with: FleetTally;
}

/** Without sharing, so many times the requests reach the dead upstream that do with it, probes among them. */
export function reachedRatio({ without, with: shared }: Halves): number {
  return without.reachedDead.requests / Math.max(1, shared.reachedDead.requests);
}

export function printTable(halves: Halves): void {
  printColumns([
    ['', 'without sharing', 'with sharing', 'ratio'],
    row('probes sent to the dead upstream', ({ reachedDead }) => reachedDead.probes),
    row('requests that reached the dead upstream', ({ reachedDead }) => reachedDead.requests),
    row('failures that clients saw', ({ counts }) => counts.error + counts.late),
    row('orders taken, to be charged later', ({ counts }) => counts.degraded),
    row('requests', ({ counts }) => total(counts)),
    row('all circuits open, from its death, after', ({ allOpenMs }) => allOpenMs, time),
    row('all circuits closed, from its return, after', ({ allClosedMs }) => allClosedMs, time),
  ]);

  function row(
    name: string,
    figureOf: (tally: FleetTally) => number | undefined,
    show: (figure: number | undefined) => string = String,
  ): string[] {
    const [without, shared] = [figureOf(halves.without), figureOf(halves.with)];
    return [name, show(without), show(shared), ratio(without, shared)];
  }
}

function ratio(without: number | undefined, shared: number | undefined): string {
  return without === undefined || !shared ? '–' : (without / shared).toFixed(1);
}

function time(ms: number | undefined): string {
  return ms === undefined ? 'not in this run' : seconds(ms);
}
