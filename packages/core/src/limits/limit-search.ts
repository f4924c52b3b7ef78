import type { CallTally } from './call-tally.ts';

/** The first cut is the deepest. */
const FIRST_CUT = 0.6;
const CUT = 0.7;
const RAISE = 1.5;
/** Fewer good answers do not tell one rate from another. */
const TRIAL_SAMPLES = 60;
const LONGEST_TRIAL_MS = 3_000;
const TRIAL_GAP_MS = 2_000;
const LONGEST_GAP_MS = 16_000;
const UNUSED_MS = 1_000;
const GIVEN_UP_SHARE = 0.1;
/** A cut that leaves less of the best rate has gone too far, however it came about. */
const KEPT_OF_BEST = 0.85;
/** How fast the best rate is forgotten, a ms. */
const FORGET = 2e-5;

/** What the search is told of the upstream, and bounded by. */
export interface SearchTerms {
  /** The usual latency in ms. */
  readonly usualMs: number;
  /** The latency in ms that is put up with. */
  readonly lateMs: number;
  readonly minLimit: number;
  /** How long callers wait, in ms; infinite where that is not known. */
  patienceMs: number;
}

/**
 * Finds the least concurrency that does not cost good answers. Each cut is judged by its effect: where calls queue,
 * goodput stays as it is and latency falls; where they do not, goodput falls with the limit, and the cut is undone.
 * It is judged only once the calls in flight have come down to it and a latency more has passed. Cuts and raises that
 * were in vain are tried again at growing distances, so that the search rests where it is good.
 */
export class LimitSearch {
  limit: number;
  /** Set when the limit is to be given up, with the reason. */
  over: 'unused' | 'no gain' | undefined = undefined;
  readonly #terms: SearchTerms;
  #step: 'hold' | 'cut' | 'raise' = 'cut';
  #from: number;
  /** Good answers a ms: what the upstream can do, smoothed; the best of a trial; before this trial. */
  #capacity: number;
  #best = 0;
  #before: number;
  #first = true;
  #reached = false;
  #settledAt = 0;
  #good: number;
  #goodMs: number;
  #latencyMs: number;
  #cutAt: number;
  #raiseAt: number;
  #gapMs = TRIAL_GAP_MS;
  #refusedAt: number;

  /** @param rate good answers a ms under the pressure */
  constructor(terms: SearchTerms, tally: CallTally, rate: number, inFlight: number, now: number) {
    this.#terms = terms;
    this.#capacity = rate;
    this.#before = rate;
    this.#from = inFlight;
    this.#good = tally.good;
    this.#goodMs = now - tally.since;
    this.#latencyMs = tally.good > 0 ? tally.meanMs : terms.lateMs;
    this.#refusedAt = now;
    this.#cutAt = now;
    this.#raiseAt = now + TRIAL_GAP_MS;
    this.limit = this.#bounded(Math.max(rate * terms.lateMs, inFlight * FIRST_CUT));
  }

  look(tally: CallTally, inFlight: number, now: number): void {
    const ageMs = now - tally.since;
    this.#note(tally, ageMs, now);
    this.limit = this.#bounded(this.limit);
    if (now - this.#refusedAt > UNUSED_MS) this.over = 'unused';
    else if (this.#step === 'hold' && this.#latencyMs <= this.#terms.lateMs) this.#grow(tally.refused);
    else if (!this.#reached) this.#approach(tally, inFlight, ageMs, now);
    else if (now >= this.#settledAt) this.#measure(tally, ageMs, now);
  }

  #note(tally: CallTally, ageMs: number, now: number): void {
    if (tally.refused > 0) this.#refusedAt = now;
    if (tally.good > 0) this.#latencyMs = tally.meanMs;
    const rate = tally.good / ageMs;
    const weight = (rate > this.#capacity ? 0.5 : 0.05) * Math.min(1, tally.good / 20);
    this.#capacity += weight * (rate - this.#capacity);
    this.#best *= 1 - FORGET * ageMs;
  }

  /** There is no queue to speak of, and some were refused. */
  #grow(refused: number): void {
    const { limit } = this;
    if (refused > 0) this.limit = this.#bounded(limit + Math.max(Math.sqrt(limit) / 2, limit / 10));
    this.#good = 0;
    this.#goodMs = 0;
  }

  #approach(tally: CallTally, inFlight: number, ageMs: number, now: number): void {
    const { limit } = this;
    this.#good += tally.good;
    this.#goodMs += ageMs;
    this.#reached = this.#step === 'cut' ? inFlight <= limit * 1.1 : inFlight >= limit * 0.9;
    if (!this.#reached) return;
    this.#settledAt = now + this.#latencyMs;
    if (this.#first && this.#good > 0) this.#before = this.#good / this.#goodMs;
    this.#good = 0;
    this.#goodMs = 0;
  }

  #measure(tally: CallTally, ageMs: number, now: number): void {
    if (tally.gaveUp > GIVEN_UP_SHARE * tally.ended) {
      // Work that nobody waits for is still being done: that says nothing of the limit.
      this.#good = 0;
      this.#goodMs = 0;
      return;
    }
    this.#good += tally.good;
    this.#goodMs += ageMs;
    const isEnough = this.#good >= TRIAL_SAMPLES || this.#goodMs >= LONGEST_TRIAL_MS;
    if (this.#goodMs < this.#latencyMs || !isEnough) return;
    const rate = this.#good / this.#goodMs;
    if (this.#step === 'hold') this.#afterHold(rate, now);
    else if (this.#step === 'raise') this.#afterRaise(rate, now);
    else this.#afterCut(rate, now);
  }

  #afterHold(rate: number, now: number): void {
    this.#keep(rate);
    const { limit } = this;
    if (now >= this.#cutAt) {
      this.#begin('cut', limit, limit * Math.max(CUT, this.#terms.lateMs / this.#latencyMs));
    } else if (now >= this.#raiseAt) this.#raise(now);
    else this.#begin('hold', limit, limit);
  }

  #afterRaise(rate: number, now: number): void {
    if (this.#follows(rate)) {
      this.#before = rate;
      this.#gapMs = TRIAL_GAP_MS;
      this.#raise(now);
    } else {
      this.#raiseAt = now + this.#nextGap();
      this.#begin('hold', this.limit, this.#from);
    }
  }

  #afterCut(rate: number, now: number): void {
    const costs = this.#follows(rate) || rate < KEPT_OF_BEST * this.#best;
    if (!costs) {
      this.#keep(rate);
      this.#begin('hold', this.limit, this.limit);
    } else if (this.#first) this.over = 'no gain';
    else {
      this.#cutAt = now + this.#nextGap();
      this.limit = this.#from;
      this.#raise(now);
    }
    this.#first = false;
  }

  #keep(rate: number): void {
    this.#before = rate;
    this.#best = Math.max(this.#best, rate);
  }

  /** Whether goodput went the way of the limit rather than staying where it was. */
  #follows(rate: number): boolean {
    return Math.log(rate / this.#before) / Math.log(this.limit / this.#from) > 0.5;
  }

  #raise(now: number): void {
    const to = this.#bounded(this.limit * RAISE);
    if (to > this.limit * 1.2) {
      this.#begin('raise', this.limit, to);
      return;
    }
    this.#raiseAt = now + this.#gapMs;
    this.#begin('hold', this.limit, this.limit);
  }

  #begin(step: 'hold' | 'cut' | 'raise', from: number, to: number): void {
    this.#step = step;
    this.#from = from;
    this.#reached = step === 'hold';
    this.#settledAt = 0;
    this.#good = 0;
    this.#goodMs = 0;
    this.limit = this.#bounded(to);
  }

  #nextGap(): number {
    const gapMs = this.#gapMs;
    this.#gapMs = Math.min(LONGEST_GAP_MS, 2 * gapMs);
    return gapMs;
  }

  /** By Little's law: enough for what the upstream can do, no more than it can answer in half of the patience. */
  #bounded(limit: number): number {
    const { minLimit, usualMs, patienceMs } = this.#terms;
    const most = Math.min(limit, (this.#capacity * patienceMs) / 2);
    return Math.max(minLimit, this.#capacity * usualMs, most);
  }
}
