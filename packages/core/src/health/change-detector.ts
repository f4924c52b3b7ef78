import { Baseline, type BaselineOptions, clamp } from './baseline.ts';

/** Which way a series has moved off its baseline. */
export type Change = 'up' | 'down';

export interface ChangeOptions extends BaselineOptions {
  /** Reference drift, in standard deviations: less than this away from the baseline is no evidence. Default: 1. */
  readonly drift?: number;
  /** Evidence, in standard deviations beyond the drift and in all, from which on there is a change. Default: 8. */
  readonly threshold?: number;
  /** One value says no more than this, in deviations: a wild one alone is no change. Default: 4. */
  readonly clip?: number;
  /** A change that lasts so long is the new normal, in ms. Default: none ever is. */
  readonly adoptAfterMs?: number;
  /** How many times its size the threshold may grow to, where changes prove short. Default: 1. */
  readonly patience?: number;
}

/** From this share of the threshold on a value is under suspicion. */
const SUSPICION = 0.25;
/** So many drifts of evidence for it, and a change is over: three values at the baseline. */
const CALM = 2.5;
const NEAR = 1.5;
/** Part of the change's size that each further value makes up. */
const SIZE_SHARE = 0.1;
/** A change that is over after fewer values may have been none: the threshold grows by that factor. */
const SHORT = 20;
const GROWTH = 2;
/** It takes so long to fall halfway back. */
const PATIENCE_MS = 6 * 3_600_000;

/**
 * Finds the moment at which a series leaves its baseline, and the one at which it is back: a two-sided CUSUM (Page,
 * "Continuous Inspection Schemes", 1954) over standardised, clipped values. CUSUM rather than Page-Hinkley, since that
 * one measures against a running mean which the change itself pulls along; here the baseline is apart, and learns
 * nothing from a value that is flagged or under suspicion. Where a suspicion comes to nothing, its values are taken for
 * the series' own spread, and where changes prove short the threshold may rise: what jumps by habit is left alone.
 *
 * Of all rules with the same rate of false alarms CUSUM is the quickest in the worst case (Moustakides, 1986); for a
 * normal series the time between two grows like e^(2 × drift × threshold). A change is over when the same sum, turned
 * round, says so.
 */
export class ChangeDetector {
  readonly #drift: number;
  readonly #threshold: number;
  readonly #clip: number;
  readonly #adoptAfterMs: number;
  readonly #mostPatience: number;
  readonly #baseline: Baseline;
  #up = 0;
  #down = 0;
  #back = 0;
  #changed: Change | undefined;
  #changedAt = 0;
  #changedFor = 0;
  /** How far the change has led away, in deviations. */
  #size = 0;
  /** How many times its size the threshold was at the last change. */
  #patience = 1;

  constructor(options: ChangeOptions = {}) {
    this.#drift = options.drift ?? 1;
    this.#threshold = options.threshold ?? 8;
    this.#clip = options.clip ?? 4;
    this.#adoptAfterMs = options.adoptAfterMs ?? Number.POSITIVE_INFINITY;
    this.#mostPatience = options.patience ?? 1;
    this.#baseline = new Baseline(options);
  }

  /** What the series is like when all is well. */
  get baseline(): number {
    return this.#baseline.level;
  }

  /** The change in force. */
  get changed(): Change | undefined {
    return this.#changed;
  }

  /** False while too little was learned to judge by. */
  readyAt(now: number): boolean {
    return this.#baseline.readyAt(now);
  }

  /**
   * Takes up the next value and tells the change in force.
   *
   * @param weight how many observations the value is the mean of: the more, the less it is chance
   */
  update(value: number, now: number, weight = 1): Change | undefined {
    const baseline = this.#baseline;
    if (!baseline.readyAt(now)) {
      baseline.learn(value, now, weight);
      return undefined;
    }
    const off = clamp((value - baseline.level) / baseline.deviation(weight), this.#clip);
    if (this.#changed !== undefined) {
      this.#reconsider(off, now);
      return this.#changed;
    }
    this.#up = Math.max(0, this.#up + off - this.#drift);
    this.#down = Math.max(0, this.#down - off - this.#drift);
    const evidence = Math.max(this.#up, this.#down);
    if (evidence < this.#threshold * SUSPICION) baseline.confirm(value, now, weight);
    else if (evidence < this.#threshold * this.#patienceAt(now)) baseline.suspect(value, weight);
    else this.#begin(off, now);
    return this.#changed;
  }

  /** Takes the change in force for over; the baseline is kept. */
  calm(): void {
    this.#changed = undefined;
    this.#up = 0;
    this.#down = 0;
    this.#baseline.dropSuspects();
  }

  #begin(off: number, now: number): void {
    this.#patience = this.#patienceAt(now);
    this.#changed = this.#up >= this.#down ? 'up' : 'down';
    this.#changedAt = now;
    this.#changedFor = 0;
    this.#size = Math.abs(off);
    this.#back = 0;
  }

  /** Nearer to the baseline than a little beyond the drift, or than half of what the change is, speaks for its end. */
  #reconsider(off: number, now: number): void {
    const away = this.#changed === 'up' ? off : -off;
    this.#changedFor++;
    this.#size += (away - this.#size) * SIZE_SHARE;
    const near = Math.min(NEAR * this.#drift, this.#size / 2);
    this.#back = Math.max(0, this.#back + Math.min(near - away, this.#drift));
    if (this.#back >= CALM * this.#drift) this.#end();
    else if (now - this.#changedAt >= this.#adoptAfterMs) this.#adopt();
  }

  #end(): void {
    if (this.#changedFor < SHORT) this.#patience = Math.min(this.#mostPatience, this.#patience * GROWTH);
    this.calm();
  }

  /** What lasts is normal: the baseline is learned anew. */
  #adopt(): void {
    this.calm();
    this.#baseline.restart();
  }

  #patienceAt(now: number): number {
    if (this.#patience === 1) return 1;
    return 1 + (this.#patience - 1) * 2 ** ((this.#changedAt - now) / PATIENCE_MS);
  }
}
