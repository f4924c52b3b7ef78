export interface AdaptiveTimeoutOptions {
  /** A number that the user wrote: it stays. */
  readonly pinnedMs?: number | undefined;
  /** Never less, in ms. Default: 50. */
  readonly minMs?: number | undefined;
  /** Never more, in ms; in force until enough is known. Default: 10000. */
  readonly maxMs?: number | undefined;
  /** The timeout as a multiple of the 99th percentile. Default: 3. */
  readonly factor?: number | undefined;
  /** Fewer answers than this say nothing of a percentile. Default: 100. */
  readonly minSamples?: number | undefined;
}

/** Latencies of good answers in ms. */
export interface LatencyQuantiles {
  readonly p50: number;
  readonly p99: number;
}

const FALL_HALF_LIFE_MS = 10_000;
const USUAL_HALF_LIFE_MS = 60_000;
/** A median this many times another is another workload. */
const CHANGED = 2;
/** More attempts cut short than this, and the percentile is not to be trusted: what took longer is not in it. */
const CUT_SHORT_SHARE = 0.02;
const RAISE_EACH_MS = 1_000;
/** Where hardly anything is answered, that may be a hang, in which a longer timeout is of no use. */
const RAISE_HANGING_EACH_MS = 5_000;

/**
 * The timeout of an attempt from what good answers take: slow to fall, quick to rise, never below the 99th percentile
 * times a factor. What is cut short is missing from the percentiles (they are censored), so cut attempts raise it by
 * themselves; and a median that is another than it used to be unlearns it.
 */
export class AdaptiveTimeout {
  readonly #pinned: boolean;
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #factor: number;
  readonly #minSamples: number;
  #timeoutMs: number;
  #usualMs: number | undefined;
  #at: number | undefined;
  #raisedAt = Number.NEGATIVE_INFINITY;

  constructor(options: AdaptiveTimeoutOptions = {}) {
    const { pinnedMs, minMs = 50, maxMs = 10_000, factor = 3, minSamples = 100 } = options;
    this.#pinned = pinnedMs !== undefined;
    this.#minMs = minMs;
    this.#maxMs = maxMs;
    this.#factor = factor;
    this.#minSamples = minSamples;
    this.#timeoutMs = pinnedMs ?? maxMs;
  }

  /** The timeout in force, in ms. */
  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  /**
   * To be told each half second or so.
   *
   * @param quantiles of the good answers of some seconds; undefined while there were none
   * @param samples how many answers they are taken from
   * @param cutShort attempts that this timeout ended, over the same time
   */
  update(
    quantiles: LatencyQuantiles | undefined,
    samples: number,
    now: number,
    cutShort: number = 0,
  ): number {
    if (this.#pinned) return this.#timeoutMs;
    const sinceMs = Math.max(0, now - (this.#at ?? now));
    this.#at = now;
    if (quantiles !== undefined && samples >= this.#minSamples) this.#follow(quantiles, sinceMs);
    if (cutShort > CUT_SHORT_SHARE * (samples + cutShort)) this.#raise(samples < cutShort, now);
    return this.#timeoutMs;
  }

  #follow({ p50, p99 }: LatencyQuantiles, sinceMs: number): void {
    const usualMs = this.#usualMs ?? p50;
    if (p50 > CHANGED * usualMs || p50 * CHANGED < usualMs) {
      this.#usualMs = p50;
      this.#timeoutMs = this.#maxMs;
      return;
    }
    this.#usualMs = usualMs + share(sinceMs, USUAL_HALF_LIFE_MS) * (p50 - usualMs);
    const wantedMs = this.#bounded(this.#factor * p99);
    if (wantedMs >= this.#timeoutMs) this.#timeoutMs = wantedMs;
    else this.#timeoutMs += share(sinceMs, FALL_HALF_LIFE_MS) * (wantedMs - this.#timeoutMs);
  }

  #raise(isHanging: boolean, now: number): void {
    if (now - this.#raisedAt < (isHanging ? RAISE_HANGING_EACH_MS : RAISE_EACH_MS)) return;
    // The first of a hang waits as well: that may be over before.
    if (!isHanging || this.#raisedAt !== Number.NEGATIVE_INFINITY) {
      this.#timeoutMs = this.#bounded(2 * this.#timeoutMs);
    }
    this.#raisedAt = now;
  }

  #bounded(ms: number): number {
    return Math.min(this.#maxMs, Math.max(this.#minMs, ms));
  }
}

function share(sinceMs: number, halfLifeMs: number): number {
  return 1 - 2 ** (-sinceMs / halfLifeMs);
}
