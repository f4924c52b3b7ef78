import type { TripTerms } from '../store.ts';
import { number, text } from './input.ts';

/** One replica's window, as it was last told. */
export interface StoredReport {
  readonly hash: string;
  readonly calls: number;
  readonly failures: number;
  readonly streak: number;
  readonly open: boolean;
  readonly at: number;
}

/** Terms that can be calculated with. */
export function soundTerms(terms: TripTerms): TripTerms {
  return {
    failureRate: number(terms?.failureRate),
    minimumCalls: number(terms?.minimumCalls),
    streak: number(terms?.streak),
    windowMs: number(terms?.windowMs),
    quorum: number(terms?.quorum),
    hash: text(terms?.hash),
  };
}

/** Reports under the same terms, added up. */
export interface Sum {
  reporters: number;
  calls: number;
  failures: number;
  /** Replicas that fail by the rate; that are open; that fail in a row. */
  failing: number;
  open: number;
  inStreak: number;
  /** The report with the most failures: of those, the one with the fewest calls. */
  worst: StoredReport | undefined;
  /** The failures of the second worst report. */
  second: number;
  streak: number;
  longest: number;
  nextLongest: number;
}

export function sumUp(reports: readonly StoredReport[], { failureRate, hash }: TripTerms): Sum {
  const sum: Sum = {
    reporters: 0,
    calls: 0,
    failures: 0,
    failing: 0,
    open: 0,
    inStreak: 0,
    worst: undefined,
    second: 0,
    streak: 0,
    longest: 0,
    nextLongest: 0,
  };
  for (const report of reports) {
    if (report.hash !== hash) continue;
    sum.reporters += 1;
    sum.calls += report.calls;
    sum.failures += report.failures;
    if (report.failures >= 2 && report.failures / report.calls >= failureRate) sum.failing += 1;
    if (report.open) sum.open += 1;
    addStreak(sum, report.streak);
    addWorst(sum, report);
  }
  return sum;
}

function addStreak(sum: Sum, streak: number): void {
  sum.streak += streak;
  if (streak >= 2) sum.inStreak += 1;
  sum.nextLongest = Math.max(sum.nextLongest, Math.min(sum.longest, streak));
  sum.longest = Math.max(sum.longest, streak);
}

function addWorst(sum: Sum, report: StoredReport): void {
  if (isWorse(report, sum.worst)) {
    sum.second = sum.worst?.failures ?? 0;
    sum.worst = report;
  } else {
    sum.second = Math.max(sum.second, report.failures);
  }
}

function isWorse(report: StoredReport, worst: StoredReport | undefined): boolean {
  if (worst === undefined) return true;
  if (report.failures !== worst.failures) return report.failures > worst.failures;
  return report.calls < worst.calls;
}

/** R7: half of what opens a target is reason to ask all who use it. */
export function isSuspect(sum: Sum, { failureRate, minimumCalls, streak }: TripTerms): boolean {
  const needed = Math.max(1, Math.ceil(minimumCalls * failureRate));
  return sum.failures >= needed / 2 || sum.streak >= streak / 2 || sum.open > 0;
}

/** R8, R9: whether the fleet opens. `alone`: the reporter is the only replica. */
export function trips(sum: Sum, terms: TripTerms, alone: boolean): boolean {
  const quorum = alone ? 1 : Math.max(2, Math.ceil(terms.quorum * sum.reporters));
  return (
    sum.open >= quorum ||
    (sum.failing >= quorum && byRate(sum, terms, alone)) ||
    (sum.inStreak >= quorum && byStreak(sum, terms, alone))
  );
}

/** The worst reporter counts no more than the second worst, and the rest must have trouble without it. */
function byRate({ worst, second, calls, failures }: Sum, terms: TripTerms, alone: boolean): boolean {
  const { failureRate, minimumCalls } = terms;
  const holds = (calls: number, failures: number, minimum: number) =>
    calls >= minimum && calls > 0 && failures / calls >= failureRate;
  if (alone || worst === undefined) return holds(calls, failures, minimumCalls);
  const scale = worst.failures > 0 ? second / worst.failures : 1;
  return (
    holds(calls - worst.calls * (1 - scale), failures - worst.failures + second, minimumCalls) &&
    holds(calls - worst.calls, failures - worst.failures, minimumCalls / 2)
  );
}

/** As by the rate: what has failed in a row, wherever it was called from, since windows may be full of successes. */
function byStreak({ streak, longest, nextLongest }: Sum, terms: TripTerms, alone: boolean): boolean {
  const needed = Math.max(1, terms.streak);
  if (alone) return streak >= needed;
  const rest = streak - longest;
  return rest + nextLongest >= needed && rest >= needed / 2;
}
