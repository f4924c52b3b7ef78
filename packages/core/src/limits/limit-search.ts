import type { CallTally } from './call-tally.ts';
import { GoodputSample } from './goodput-sample.ts';

/** The first cut is the deepest. */
const FIRST_CUT = 0.6;
const CUT = 0.7;
const RAISE = 1.5;
const TRIAL_GAP_MS = 2_000;
const LONGEST_GAP_MS = 16_000;
/** How much of the limit's way goodput goes before it counts as having followed. */
const FOLLOWS = 0.25;
const CLEARLY_FOLLOWS = 0.5;
const IDLE_MS = 1_000;
const UNUSED_MS = 5_000;
const GIVEN_UP_SHARE = 0.1;
/** So long abandoned work may take to drain. */
const LONGEST_DRAIN_MS = 5_000;
/** Less of what there was with callers who gave up, and the limit is in vain. */
const KEPT_IN_VAIN = 0.75;
/** A cut that leaves less of the best rate has gone too far, however it came about. */
const KEPT_OF_BEST = 0.92;
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
  /** The first cut cost goodput, which may have been chance: if a raise brings it back, there is no queue. */
  #suspect = false;
  /** Where goodput went the way of the limit, it may rise beyond what patience is thought to allow. */
  #uncapped = false;
  #reached = false;
  #settledAt = 0;
  readonly #sample = new GoodputSample();
  #latencyMs: number;
  #cutAt: number;
  #raiseAt: number;
  #gapMs = TRIAL_GAP_MS;
  #refusedAt: number;
  /** Good answers a ms of late. */
  #goodput: number;
  /** What it was before anything was limited, if callers gave up then already; else 0. */
  readonly #goodputGivenUp: number;

  /** @param rate good answers a ms under the pressure */
  constructor(terms: SearchTerms, tally: CallTally, rate: number, inFlight: number, now: number) {
    this.#terms = terms;
    this.#capacity = rate;
    this.#before = rate;
    this.#from = inFlight;
    this.#sample.add(tally, now - tally.since);
    this.#latencyMs = tally.good > 0 ? tally.meanMs : terms.lateMs;
    this.#goodput = rate;
    this.#goodputGivenUp = isGivenUp(tally) ? rate : 0;
    this.#refusedAt = now;
    this.#cutAt = now;
    this.#raiseAt = now + TRIAL_GAP_MS;
    this.limit = this.#bounded(Math.max(rate * terms.lateMs, inFlight * FIRST_CUT));
  }

  /** True when nothing was refused for a second. */
  isIdle(now: number): boolean {
    return now - this.#refusedAt > IDLE_MS;
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
    this.#goodput += Math.min(1, tally.ended / 60) * (rate - this.#goodput);
  }

  /** There is no queue to speak of, and some were refused. */
  #grow(refused: number): void {
    const { limit } = this;
    if (refused > 0) this.limit = this.#bounded(limit + Math.max(Math.sqrt(limit) / 2, limit / 10));
    this.#sample.clear();
  }

  #approach(tally: CallTally, inFlight: number, ageMs: number, now: number): void {
    this.#sample.add(tally, ageMs);
    this.#reached = this.#step === 'cut' ? inFlight <= this.limit * 1.1 : inFlight >= this.limit * 0.9;
    if (!this.#reached) return;
    this.#settledAt = now + this.#latencyMs;
    if (this.#first && !this.#sample.isEmpty) this.#before = this.#sample.rate;
    this.#sample.clear();
  }

  #measure(tally: CallTally, ageMs: number, now: number): void {
    if (isGivenUp(tally)) {
      this.#awaitDrain(now);
      if (this.#uncapped) this.#rest(this.#from, now);
      return;
    }
    this.#sample.add(tally, ageMs);
    if (!this.#sample.isEnough(this.#latencyMs, this.#first || this.#suspect)) return;
    const { rate } = this.#sample;
    if (this.#step === 'hold') this.#afterHold(rate, now);
    else if (this.#step === 'raise') this.#afterRaise(rate, now);
    else this.#afterCut(rate, now);
  }

  /**
   * Work that nobody waits for is still being done: that says nothing of the limit, unless it does not end. Then calls
   * are given up for another reason, and a limit that has fewer of them answered is of no use.
   */
  #awaitDrain(now: number): void {
    this.#sample.clear();
    if (now - this.#settledAt < LONGEST_DRAIN_MS) return;
    if (this.#goodput < KEPT_IN_VAIN * this.#goodputGivenUp) this.over = 'no gain';
  }

  #afterHold(rate: number, now: number): void {
    this.#keep(rate);
    const { limit } = this;
    if (now >= this.#cutAt) {
      this.#begin('cut', limit, limit * Math.max(CUT, this.#terms.lateMs / this.#latencyMs), now);
    } else if (now >= this.#raiseAt) this.#raise(now);
    else this.#begin('hold', limit, limit, now);
  }

  #afterRaise(rate: number, now: number): void {
    const follows = this.#follows(rate);
    if (this.#suspect) {
      if (follows > CLEARLY_FOLLOWS) this.over = 'no gain';
      // A cut did cost goodput, though not by itself.
      else this.#rest(this.limit, now);
    } else if (follows > FOLLOWS) {
      this.#before = rate;
      this.#gapMs = TRIAL_GAP_MS;
      this.#raise(now);
    } else {
      this.#raiseAt = now + this.#nextGap();
      this.#begin('hold', this.limit, this.#from, now);
    }
  }

  #rest(limit: number, now: number): void {
    const gapMs = this.#nextGap();
    this.#raiseAt = now + gapMs;
    this.#cutAt = now + 2 * gapMs;
    this.#begin('hold', limit, limit, now);
  }

  #afterCut(rate: number, now: number): void {
    const follows = this.#follows(rate);
    if (follows < FOLLOWS && rate >= KEPT_OF_BEST * this.#best) {
      this.#keep(rate);
      this.#begin('hold', this.limit, this.limit, now);
    } else if (this.#first && follows > CLEARLY_FOLLOWS && this.#from > 1.3 * this.limit) {
      this.#suspect = true;
      this.#uncapped = true;
      this.#before = rate;
      this.#begin('raise', this.limit, this.#from, now);
    } else {
      this.#cutAt = now + this.#nextGap();
      this.#uncapped = follows > CLEARLY_FOLLOWS;
      this.limit = this.#from;
      this.#raise(now);
    }
    this.#first = false;
  }

  #keep(rate: number): void {
    this.#before = rate;
    this.#best = Math.max(this.#best, rate);
  }

  /** How far goodput went the way of the limit: 0 where it stayed as it was, 1 where it changed in proportion. */
  #follows(rate: number): number {
    return Math.log(rate / this.#before) / Math.log(this.limit / this.#from);
  }

  #raise(now: number): void {
    const to = this.#bounded(this.limit * RAISE);
    if (to > this.limit * 1.2) {
      this.#begin('raise', this.limit, to, now);
      return;
    }
    this.#raiseAt = now + this.#gapMs;
    this.#begin('hold', this.limit, this.limit, now);
  }

  #begin(step: 'hold' | 'cut' | 'raise', from: number, to: number, now: number): void {
    this.#step = step;
    this.#from = from;
    this.#reached = step === 'hold';
    this.#suspect &&= step !== 'hold';
    this.#uncapped &&= step !== 'hold';
    this.#settledAt = now;
    this.#sample.clear();
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
    const most = this.#uncapped ? limit : Math.min(limit, (this.#capacity * patienceMs) / 2);
    return Math.max(minLimit, this.#capacity * usualMs, most);
  }
}

function isGivenUp({ gaveUp, ended }: CallTally): boolean {
  return gaveUp > GIVEN_UP_SHARE * ended;
}
