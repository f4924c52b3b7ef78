import { printColumns } from './columns.ts';
import { type Phase, schedule } from './schedule.ts';
import { PATIENCE_MS } from './settings.ts';
import { type Tallies, type Tally, total } from './tally.ts';
import { seconds } from './view.ts';

/** With healing there must be so many times the good answers that there are without. */
export const WANTED_RATIO = 1.5;

/** The ratio counts full answers alone: substitutes are shown, and do not help to reach it. */
export function goodputRatio({ with: healed, without }: Tallies): number {
  return healed.counts.full / Math.max(1, without.counts.full);
}

export function printTable(tallies: Tallies): void {
  const rows: [string, (tally: Tally) => string][] = [
    ['requests', ({ counts }) => String(total(counts))],
    [`full answers within ${seconds(PATIENCE_MS)}`, ({ counts }) => share(counts.full, total(counts))],
    ['degraded answers (a substitute, said so)', ({ counts }) => share(counts.degraded, total(counts))],
    ['error answers', ({ counts }) => share(counts.error, total(counts))],
    ['no answer in time', ({ counts }) => share(counts.late, total(counts))],
    ['goodput (full and degraded)', ({ counts }) => share(counts.full + counts.degraded, total(counts))],
    ['p50', (tally) => latency(tally, 0.5)],
    ['p99', (tally) => latency(tally, 0.99)],
    ...schedule.flatMap((phase): typeof rows => [
      [
        `${phase.upstream} ${nameOf(phase)}: good answers again after`,
        (tally) => time(tally.answeringAgainMs(phase)),
      ],
      ["  full service, from the fault's end, after", (tally) => time(tally.fullServiceMs(phase))],
    ]),
  ];
  printColumns([
    ['', 'with healing', 'without'],
    ...rows.map(([name, cell]) => [name, cell(tallies.with), cell(tallies.without)]),
  ]);
}

function nameOf({ fault }: Phase): string {
  return fault.kind === 'hang' ? 'hangs' : 'errs';
}

function share(part: number, whole: number): string {
  return `${part} (${((100 * part) / Math.max(1, whole)).toFixed(1)} %)`;
}

function latency(tally: Tally, quantile: number): string {
  const ms = tally.quantileMs(quantile);
  return ms >= PATIENCE_MS ? `over ${PATIENCE_MS} ms` : `${ms.toFixed(0)} ms`;
}

function time(ms: number | undefined): string {
  if (ms === undefined) return 'not in this run';
  return ms === 0 ? 'no break' : seconds(ms);
}
