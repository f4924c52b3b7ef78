import type { Outcome } from '../config/schema.ts';
import { CallTally } from './call-tally.ts';
import { LimitSearch, type SearchTerms } from './limit-search.ts';
import { PressureWatch } from './pressure-watch.ts';

export interface ConcurrencyLimiterOptions {
  /** Latency that is put up with, as a multiple of the usual one. Default: 2.5. */
  readonly tolerance?: number | undefined;
  /** The limit never falls below. Default: 4. */
  readonly minLimit?: number | undefined;
  /** Fewer ended calls than this say nothing. Default: 10. */
  readonly minSamples?: number | undefined;
  /** How long callers wait, in ms: an attempt's timeout or what is left of deadlines. Default: learned. */
  readonly patienceMs?: number | undefined;
}

const WINDOW_MS = 100;
const LONGEST_WINDOW_MS = 1_000;
const QUIET_MS = 5_000;
const LONGEST_QUIET_MS = 60_000;

/**
 * Limits the calls in flight to what the other side can take, and only where that helps. Unlimited until answers fall
 * short of calls while latency and the calls in flight rise (see PressureWatch); then the least limit is sought that
 * keeps the goodput (see LimitSearch); and it is let go when nothing was refused for 5 s, or when the first cut
 * cost goodput: limiting does not help then, and is not tried again for 5 s, doubling up to a minute.
 *
 * After the gradient of Netflix's concurrency-limits, Envoy's adaptive concurrency and TCP Vegas, with the delivery
 * rate of BBR (Cardwell et al., ACM Queue 2016) as the judge, so that no phase of few calls is needed to learn the
 * least latency.
 */
export class ConcurrencyLimiter {
  /** Calls that may be in flight; infinite while nothing is limited. */
  limit = Number.POSITIVE_INFINITY;
  #lateMs = Number.NaN;
  #closesAt = Number.NEGATIVE_INFINITY;
  #inFlight = 0;
  #now = 0;
  #quietUntil = Number.NEGATIVE_INFINITY;
  #quietMs = QUIET_MS;
  #search: LimitSearch | undefined = undefined;
  readonly #tally = new CallTally();
  readonly #watch: PressureWatch;
  readonly #terms: SearchTerms;
  readonly #minSamples: number;
  #patienceMs: number;
  #learnedMs = Number.POSITIVE_INFINITY;

  constructor(options: ConcurrencyLimiterOptions = {}) {
    const { tolerance = 2.5, minLimit = 4, minSamples = 10 } = options;
    this.#patienceMs = options.patienceMs ?? Number.POSITIVE_INFINITY;
    this.#minSamples = minSamples;
    this.#watch = new PressureWatch(tolerance, minSamples);
    const watch = this.#watch;
    this.#terms = {
      minLimit,
      patienceMs: this.#patienceMs,
      get usualMs() {
        return watch.usualMs;
      },
      get lateMs() {
        return watch.lateMs;
      },
    };
  }

  /** True while the limit is felt: some call was refused in the last second. */
  get engaged(): boolean {
    return this.#search !== undefined && !this.#search.isIdle(this.#now);
  }

  /** How long callers wait, in ms, as far as it is known beforehand. What is seen of them may be less. */
  set patienceMs(ms: number | undefined) {
    this.#patienceMs = ms ?? Number.POSITIVE_INFINITY;
    this.#terms.patienceMs = Math.min(this.#patienceMs, this.#learnedMs);
  }

  /** Whether one more call may begin. @param inFlight calls that have begun and not ended */
  admits(inFlight: number): boolean {
    this.#inFlight = inFlight;
    if (inFlight < this.limit) return true;
    this.#tally.refused++;
    return false;
  }

  /** Counts a call that has ended. Latencies may be coarse, as long as they are right on average. */
  ended(latencyMs: number, outcome: Outcome, inFlight: number, now: number): void {
    this.#inFlight = inFlight;
    this.#tally.add(latencyMs, outcome, this.#lateMs);
    if (now >= this.#closesAt) this.#close(now);
  }

  /** To be called every 100 ms or so: time passes where no call ends, too. */
  tick(now: number): void {
    if (now >= this.#closesAt) this.#close(now);
  }

  #close(now: number): void {
    const tally = this.#tally;
    const ageMs = now - tally.since;
    this.#now = now;
    if (tally.ended < this.#minSamples && ageMs < LONGEST_WINDOW_MS) return;
    if (ageMs > 0) {
      this.#learnPatience();
      if (this.#search === undefined) this.#mayEngage(now);
      else this.#steer(this.#search, now);
      this.#lateMs = this.#watch.lateMs;
    }
    tally.restart(now, this.#inFlight);
    this.#closesAt = now + WINDOW_MS;
  }

  /** Those who give up tell how long they wait. */
  #learnPatience(): void {
    const { gaveUp, gaveUpMs } = this.#tally;
    if (gaveUp < this.#minSamples / 2) return;
    this.#learnedMs = gaveUpMs / gaveUp;
    this.#terms.patienceMs = Math.min(this.#patienceMs, this.#learnedMs);
  }

  #mayEngage(now: number): void {
    const watch = this.#watch;
    if (!watch.look(this.#tally, this.#inFlight, now) || now < this.#quietUntil) return;
    this.#search = new LimitSearch(this.#terms, this.#tally, watch.rate, this.#inFlight, now);
    this.limit = this.#search.limit;
    watch.release();
  }

  #steer(search: LimitSearch, now: number): void {
    search.look(this.#tally, this.#inFlight, now);
    this.limit = search.limit;
    if (search.over === undefined) return;
    if (search.over === 'no gain') {
      this.#quietUntil = now + this.#quietMs;
      this.#quietMs = Math.min(LONGEST_QUIET_MS, 2 * this.#quietMs);
    } else this.#quietMs = QUIET_MS;
    this.#search = undefined;
    this.limit = Number.POSITIVE_INFINITY;
  }
}
