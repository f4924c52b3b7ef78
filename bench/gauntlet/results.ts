import { contenders } from './contenders.ts';
import { FIGURES } from './figures.ts';
import { differenceOf, type Interval, intervalOf } from './interval.ts';
import type { Done } from './job.ts';
import { scenarios } from './scenarios.ts';
import type { Measures } from './tally.ts';

/** One contender in one scenario, over all seeds. */
export interface Cell {
  readonly contender: string;
  /** Good answers as a share of the oracle's. */
  readonly ratio: Interval;
  /** The same by seed, in the order of the seeds. */
  readonly ratios: readonly number[];
  /** Good answers as a share of the requests. */
  readonly goodShare: number;
  /** In ms; null where there was no good answer in some seed. */
  readonly p50: number | null;
  readonly p99: number | null;
  readonly wasted: number;
  readonly extraAttempts: number;
  readonly refusedWithRoom: number;
  /** In all seeds together. */
  readonly unsafe: number;
  /** The mean; null where it did not recover within the window in some seed. */
  readonly recoveryMs: number | null;
}

export interface ScenarioResult {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly cells: readonly Cell[];
}

/** What stands in `results/gauntlet.json`. The same seeds give the same file. */
export interface Results {
  readonly figures: typeof FIGURES;
  readonly seeds: readonly number[];
  readonly contenders: readonly { readonly name: string; readonly about: string }[];
  readonly scenarios: readonly ScenarioResult[];
  /** With a wider service time. */
  readonly wide: { readonly sigma: number; readonly scenarios: readonly ScenarioResult[] };
}

export const WIDE_SIGMA = 1;

export function resultsOf(done: readonly Done[], seeds: readonly number[]): Results {
  const ran = new Set(done.map(({ job }) => job.contender));
  return {
    figures: FIGURES,
    seeds,
    contenders: contenders.filter(({ name }) => ran.has(name)).map(({ name, about }) => ({ name, about })),
    scenarios: scenarioResults(done, FIGURES.sigma),
    wide: { sigma: WIDE_SIGMA, scenarios: scenarioResults(done, WIDE_SIGMA) },
  };
}

export function cellOf({ cells }: ScenarioResult, contender: string): Cell | undefined {
  return cells.find((cell) => cell.contender === contender);
}

/** How much more of the oracle's good answers one has than another in the same seeds. */
export function advantage(one: Cell, other: Cell): Interval {
  return rounded(differenceOf(one.ratios, other.ratios));
}

function scenarioResults(done: readonly Done[], sigma: number): ScenarioResult[] {
  return scenarios.flatMap(({ name, title, about }) => {
    const of = done.filter(({ job }) => job.scenario === name && job.sigma === sigma);
    const best = measuresOf(of, contenders[0]?.name ?? '');
    const cells = contenders.flatMap((contender) => {
      const measures = measuresOf(of, contender.name);
      return measures.length === 0 ? [] : [cell(contender.name, measures, best)];
    });
    return cells.length === 0 ? [] : [{ name, title, about, cells }];
  });
}

function measuresOf(done: readonly Done[], contender: string): Measures[] {
  return done.filter(({ job }) => job.contender === contender).map(({ measures }) => measures);
}

function cell(contender: string, all: readonly Measures[], best: readonly Measures[]): Cell {
  const ratios = all.map(({ good }, index) => digits(good / (best[index] as Measures).good));
  const mean = (of: (measures: Measures) => number | undefined) => meanOf(all.map(of));
  return {
    contender,
    ratio: rounded(intervalOf(ratios)),
    ratios,
    goodShare: mean(({ good, offered }) => good / offered) ?? 0,
    p50: mean(({ p50 }) => p50),
    p99: mean(({ p99 }) => p99),
    wasted: mean(({ wasted }) => wasted) ?? 0,
    extraAttempts: mean(({ extraAttempts }) => extraAttempts) ?? 0,
    refusedWithRoom: mean(({ refusedWithRoom }) => refusedWithRoom) ?? 0,
    unsafe: all.reduce((sum, { unsafe }) => sum + unsafe, 0),
    recoveryMs: mean(({ recoveryMs }) => recoveryMs),
  };
}

/** Null as soon as one is missing. */
function meanOf(values: readonly (number | undefined)[]): number | null {
  const known = values.filter((value) => value !== undefined);
  return known.length < values.length ? null : digits(intervalOf(known).mean);
}

function rounded({ mean, low, high }: Interval): Interval {
  return { mean: digits(mean), low: digits(low), high: digits(high) };
}

function digits(value: number): number {
  return Number(value.toFixed(4));
}
