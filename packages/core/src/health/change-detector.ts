import { Ewma } from './ewma.ts';

/** Which way a series has moved off its baseline. */
export type Change = 'up' | 'down';

export interface ChangeOptions {
  /** Reference drift, in standard deviations: less than this away from the baseline is no evidence. Default: 1. */
  readonly drift?: number;
  /** Evidence, in standard deviations beyond the drift and in all, from which on there is a change. Default: 8. */
  readonly threshold?: number;
  /** How fast the baseline follows. Default: 300,000. */
  readonly halfLifeMs?: number;
  /** Values that are learned before any is judged. Default: 10. */
  readonly warmUp?: number;
  /** A difference from the baseline that is of no interest, however sure it is; in the values' unit. Default: 0. */
  readonly leastChange?: number;
  /** A single observation deviates by this at least, whatever was seen so far. Default: 0. */
  readonly leastDeviation?: number;
  /** The baseline never lies higher. Default: it may lie anywhere. */
  readonly highest?: number;
  /** A change that lasts so long is the new normal. Default: none ever is. */
  readonly adoptAfterMs?: number;
}

/** One value says no more than this, in deviations: a wild one alone is no change. */
const CLIP = 5;
/** The baseline learns from a value as if it lay no further away than this, in deviations. */
const LEARNED_CLIP = 3;

/**
 * Finds the moment at which a series leaves its baseline, and the one at which it is back: a two-sided CUSUM (Page,
 * "Continuous Inspection Schemes", 1954) over standardised, clipped values. CUSUM rather than Page-Hinkley, since that
 * one measures against a running mean which the change itself pulls along; here the baseline is apart, and learns
 * nothing from a value that is flagged or under suspicion.
 *
 * Of all rules with the same rate of false alarms CUSUM is the quickest in the worst case (Moustakides, 1986); for a
 * normal series the time between two grows like e^(2 × drift × threshold). A change is over when the same sum, turned
 * round, says so.
 */
export class ChangeDetector {
  readonly #drift: number;
  readonly #threshold: number;
  readonly #warmUp: number;
  readonly #leastChange: number;
  readonly #leastDeviation: number;
  readonly #highest: number;
  readonly #adoptAfterMs: number;
  readonly #level: Ewma;
  /** Variance of a single observation. */
  readonly #variance: Ewma;
  #learned = 0;
  #up = 0;
  #down = 0;
  #back = 0;
  #changed: Change | undefined;
  #changedAt = 0;

  constructor(options: ChangeOptions = {}) {
    const { halfLifeMs = 300_000 } = options;
    this.#drift = options.drift ?? 1;
    this.#threshold = options.threshold ?? 8;
    this.#warmUp = options.warmUp ?? 10;
    this.#leastChange = options.leastChange ?? 0;
    this.#leastDeviation = options.leastDeviation ?? 0;
    this.#highest = options.highest ?? Number.POSITIVE_INFINITY;
    this.#adoptAfterMs = options.adoptAfterMs ?? Number.POSITIVE_INFINITY;
    this.#level = new Ewma(halfLifeMs);
    this.#variance = new Ewma(halfLifeMs);
  }

  /** What the series is like when all is well. */
  get baseline(): number {
    return Math.min(this.#level.mean, this.#highest);
  }

  /** The change in force. */
  get changed(): Change | undefined {
    return this.#changed;
  }

  /** False until enough was seen for a value to be judged. */
  get ready(): boolean {
    return this.#learned >= this.#warmUp;
  }

  /** By how much the mean of `weight` observations may well differ from the baseline. */
  deviation(weight = 1): number {
    const variance = Math.max(this.#variance.mean, this.#leastDeviation ** 2) / weight;
    return Math.sqrt(variance + this.#leastChange ** 2) || Number.MIN_VALUE;
  }

  /**
   * Takes up the next value and tells the change in force.
   *
   * @param weight how many observations the value is the mean of: the more, the less it is chance
   */
  update(value: number, now: number, weight = 1): Change | undefined {
    if (!this.ready) {
      this.#learn(value, now, weight);
      return undefined;
    }
    const deviation = this.deviation(weight);
    const off = clamp((value - this.baseline) / deviation, CLIP);
    if (this.#changed === undefined) this.#suspect(off, now);
    else this.#reconsider(off, now);
    const suspicion = Math.max(this.#up, this.#down);
    if (this.#changed === undefined && suspicion < this.#threshold / 2) {
      this.#learn(this.baseline + clamp(off, LEARNED_CLIP) * deviation, now, weight);
    }
    return this.#changed;
  }

  /** Takes the change in force for over; the baseline is kept. */
  calm(): void {
    this.#changed = undefined;
    this.#up = 0;
    this.#down = 0;
    this.#back = 0;
  }

  #suspect(off: number, now: number): void {
    this.#up = Math.max(0, this.#up + off - this.#drift);
    this.#down = Math.max(0, this.#down - off - this.#drift);
    if (Math.max(this.#up, this.#down) < this.#threshold) return;
    this.#changed = this.#up >= this.#threshold ? 'up' : 'down';
    this.#changedAt = now;
    this.#back = 0;
  }

  /** Halfway to what began the change is reason enough to believe in its end: both would be seen as soon. */
  #reconsider(off: number, now: number): void {
    const away = this.#changed === 'up' ? off : -off;
    this.#back = Math.max(0, this.#back + clamp(2 * this.#drift - away, 2 * this.#drift));
    if (this.#back >= this.#threshold / 2) this.calm();
    else if (now - this.#changedAt >= this.#adoptAfterMs) this.#adopt();
  }

  /** What lasts is normal: the baseline is learned anew. */
  #adopt(): void {
    this.calm();
    this.#level.clear();
    this.#learned = 0;
  }

  #learn(value: number, now: number, weight: number): void {
    // The first value is all that the baseline is made of: it says nothing about the spread.
    if (this.#level.samples > 0) this.#variance.add(weight * (value - this.baseline) ** 2, now);
    this.#level.add(value, now);
    this.#learned++;
  }
}

function clamp(value: number, most: number): number {
  return Math.max(-most, Math.min(most, value));
}
