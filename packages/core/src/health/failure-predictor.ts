import { SURE, shareAtLeast, shareAtMost } from './share-bounds.ts';

export interface PredictorOptions {
  /** Half-life of what counts as the present, in ms. Default: 500. */
  readonly shortMs?: number;
  /** Half-life of what it is compared with. Default: 2,000. */
  readonly longMs?: number;
  /** How far ahead the prediction is for, in ms. Default: 1,000. */
  readonly aheadMs?: number;
}

/** As if so many calls had gone well before: one failure in one call is no certainty. */
const PRIOR_CALLS = 10;

/** Calls and failures, each weighed by its age. */
class Recent {
  readonly #halfLifeMs: number;
  #last = Number.NEGATIVE_INFINITY;
  calls = 0;
  failures = 0;

  constructor(halfLifeMs: number) {
    this.#halfLifeMs = halfLifeMs;
  }

  /** Mean age of what is in it, where calls come evenly. */
  get ageMs(): number {
    return this.#halfLifeMs / Math.LN2;
  }

  /** The share of failures, drawn to 0 by the calls of before. */
  get share(): number {
    return this.failures / (this.calls + PRIOR_CALLS);
  }

  get variance(): number {
    return (this.share * (1 - this.share)) / (this.calls + PRIOR_CALLS);
  }

  /** The share of failures that is surely there. */
  get least(): number {
    return this.failures > 0 ? shareAtLeast(this.failures, this.calls + PRIOR_CALLS) : 0;
  }

  get most(): number {
    return this.failures > 0 ? shareAtMost(this.failures, this.calls + PRIOR_CALLS) : 0;
  }

  add(calls: number, failures: number, now: number): void {
    const kept = 2 ** ((this.#last - now) / this.#halfLifeMs);
    this.#last = now;
    this.calls = this.calls * kept + calls;
    this.failures = this.failures * kept + failures;
  }
}

/**
 * How likely a call of the next second is to fail, from the level and the trend of the failures: two exponential
 * averages of different age, and the line through them (Brown's double exponential smoothing, 1956). Both are taken at
 * the cautious end of what the number of calls allows: a level counts as far as it is sure, a trend as far as the two
 * averages surely differ. No failures, or hardly any calls, are a probability of 0, or near it.
 */
export class FailurePredictor {
  readonly #short: Recent;
  readonly #long: Recent;
  readonly #steps: number;
  #probability = 0;

  constructor({ shortMs = 500, longMs = 2_000, aheadMs = 1_000 }: PredictorOptions = {}) {
    this.#short = new Recent(shortMs);
    this.#long = new Recent(longMs);
    const { ageMs } = this.#short;
    this.#steps = (ageMs + aheadMs) / (this.#long.ageMs - ageMs);
  }

  /** From 0 to 1, as of the last update. */
  get probability(): number {
    return this.#probability;
  }

  /** Takes up what has ended since the last update. */
  update(calls: number, failures: number, now: number): void {
    this.#short.add(calls, failures, now);
    this.#long.add(calls, failures, now);
    const level = Math.min(Math.max(this.#short.least, this.#long.least), this.#short.most);
    this.#probability = Math.max(0, Math.min(1, level + this.#trend() * this.#steps));
  }

  /** By how much the two averages differ beyond chance. */
  #trend(): number {
    const difference = this.#short.share - this.#long.share;
    const chance = SURE * Math.sqrt(this.#short.variance + this.#long.variance);
    return Math.sign(difference) * Math.max(0, Math.abs(difference) - chance);
  }
}
