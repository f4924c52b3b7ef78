import type { RetryBudget } from './retry-budget.ts';

export interface HedgeOptions {
  /** Hedges as a share of the calls. Default: 0.05. */
  readonly share?: number | undefined;
  /** Fewer latencies than this say nothing of the tail. Default: 100. */
  readonly minSamples?: number | undefined;
  /** Hedges are sent no sooner after their call, in ms. Default: 5. */
  readonly minDelayMs?: number | undefined;
}

/** Latencies in ms. */
export interface TailQuantiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** A tail shorter than this multiple of the 95th percentile is not worth a second call. */
const LONG_TAIL = 2;
/** Hedges that may be saved up. */
const MOST_TOKENS = 10;

/**
 * When to send an idempotent call a second time beside the first: once it has taken longer than 95 % of them do (Dean
 * and Barroso, "The Tail at Scale", CACM 2013), where the tail is long enough for that to gain anything. Hedges come
 * out of the budget of repeats, and out of a share of their own besides: an upstream that grows slow all at once makes
 * every call look like a straggler.
 */
export class Hedging {
  readonly #share: number;
  readonly #minSamples: number;
  readonly #minDelayMs: number;
  #delayMs: number | undefined;
  #tokens = 0;

  constructor({ share = 0.05, minSamples = 100, minDelayMs = 5 }: HedgeOptions = {}) {
    this.#share = share;
    this.#minSamples = minSamples;
    this.#minDelayMs = minDelayMs;
  }

  /** Ms after the beginning of a call at which a hedge may be sent; undefined: none is. */
  get delayMs(): number | undefined {
    return this.#delayMs;
  }

  /**
   * To be told each half second or so.
   *
   * @param samples how many latencies the quantiles are taken from
   * @param calls how many calls there were since the last time
   */
  update(quantiles: TailQuantiles | undefined, samples: number, calls: number): void {
    this.#tokens = Math.min(MOST_TOKENS, this.#tokens + this.#share * calls);
    this.#delayMs =
      quantiles === undefined || samples < this.#minSamples ? undefined : this.#delayOf(quantiles);
  }

  /**
   * Takes a hedge, for a call that has taken `delayMs`; false: it waits on.
   *
   * @param limited whether a limit on concurrency is in force: then none is sent
   * @param leftMs what is left of the call's time
   */
  take(budget: RetryBudget, limited: boolean, leftMs: number, now: number): boolean {
    const delayMs = this.#delayMs;
    if (delayMs === undefined || limited || this.#tokens < 1 || leftMs < delayMs) return false;
    if (!budget.tryWithdraw(now)) return false;
    this.#tokens--;
    return true;
  }

  #delayOf({ p50, p95, p99 }: TailQuantiles): number | undefined {
    const delayMs = Math.max(this.#minDelayMs, p95);
    return p99 < LONG_TAIL * Math.max(delayMs, p50) ? undefined : delayMs;
  }
}
