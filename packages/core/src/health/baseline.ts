import { Ewma } from './ewma.ts';

export interface BaselineOptions {
  /** How fast the baseline follows. Default: 300,000. */
  readonly halfLifeMs?: number;
  /** Values that are learned before any is judged. Default: 10. */
  readonly warmUp?: number;
  /** Time in which nothing is judged either, in ms. Default: 0. */
  readonly warmUpMs?: number;
  /** A difference from the baseline that is of no interest, however sure it is; in the values' unit. Default: 0. */
  readonly leastChange?: number;
  /** The same as a share of the baseline; the greater of the two counts. Default: 0. */
  readonly leastRatio?: number;
  /** A single observation deviates by this at least, whatever was seen so far. Default: 0. */
  readonly leastDeviation?: number;
  /** The baseline never lies higher. Default: it may lie anywhere. */
  readonly highest?: number;
}

/** A value is learned as if it lay no further away than this, in deviations. */
const LEARNED_CLIP = 2.5;
/** One that had been suspected for no reason counts for the spread as if it lay no further away than this. */
const ACQUITTED_CLIP = 8;

/** What a series is like when all is well: its level, and how far single observations lie from it. */
export class Baseline {
  readonly #warmUp: number;
  readonly #warmUpMs: number;
  readonly #leastChange: number;
  readonly #leastRatio: number;
  readonly #leastDeviation: number;
  readonly #highest: number;
  readonly #mean: Ewma;
  readonly #variance: Ewma;
  #learned = 0;
  #since = Number.NaN;
  #suspects = 0;
  #suspectSquares = 0;

  constructor(options: BaselineOptions) {
    const { halfLifeMs = 300_000 } = options;
    this.#warmUp = options.warmUp ?? 10;
    this.#warmUpMs = options.warmUpMs ?? 0;
    this.#leastChange = options.leastChange ?? 0;
    this.#leastRatio = options.leastRatio ?? 0;
    this.#leastDeviation = options.leastDeviation ?? 0;
    this.#highest = options.highest ?? Number.POSITIVE_INFINITY;
    this.#mean = new Ewma(halfLifeMs);
    this.#variance = new Ewma(halfLifeMs);
  }

  get level(): number {
    return Math.min(this.#mean.mean, this.#highest);
  }

  /** False while too little was learned to judge by. */
  readyAt(now: number): boolean {
    if (Number.isNaN(this.#since)) this.#since = now;
    return this.#learned >= this.#warmUp && now - this.#since >= this.#warmUpMs;
  }

  /** By how much the mean of `weight` observations may well differ from the level. */
  deviation(weight: number): number {
    const variance = Math.max(this.#variance.mean, this.#leastDeviation ** 2) / weight;
    const least = Math.max(this.#leastChange, this.#leastRatio * Math.abs(this.level));
    return Math.sqrt(variance + least ** 2) || Number.MIN_VALUE;
  }

  /** Learns a value as it is. */
  learn(value: number, now: number, weight: number): void {
    // The first value is all that the level is made of: it says nothing about the spread.
    if (this.#mean.samples > 0) this.#variance.add(weight * (value - this.level) ** 2, now);
    this.#mean.add(value, now);
    this.#learned++;
  }

  /** Learns a value that is well, lest it be a stray one no more than so much of it; and the suspects before it. */
  confirm(value: number, now: number, weight: number): void {
    const limit = LEARNED_CLIP * this.deviation(weight);
    if (this.#suspects > 0) this.#variance.add(this.#suspectSquares / this.#suspects, now, this.#suspects);
    this.dropSuspects();
    this.learn(this.level + clamp(value - this.level, limit), now, weight);
  }

  /** Keeps a value's distance in mind, until it is known whether it was chance. */
  suspect(value: number, weight: number): void {
    const limit = ACQUITTED_CLIP * this.deviation(weight);
    this.#suspects++;
    this.#suspectSquares += weight * clamp(value - this.level, limit) ** 2;
  }

  dropSuspects(): void {
    this.#suspects = 0;
    this.#suspectSquares = 0;
  }

  /** Begins anew; the spread is kept. */
  restart(): void {
    this.dropSuspects();
    this.#mean.clear();
    this.#learned = 0;
    this.#since = Number.NaN;
  }
}

export function clamp(value: number, most: number): number {
  return Math.max(-most, Math.min(most, value));
}
