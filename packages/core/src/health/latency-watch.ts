import { ChangeDetector } from './change-detector.ts';

/** Latencies of single calls differ by a factor of e^this at least: services as regular as that are rare. */
const LEAST_DEVIATION = 0.5;
/**
 * Twice as slow (ln 2 = 0.7) is seen soon, half as slow again with time at best. An upper quantile jumps more easily
 * than a median: where a share of the calls near it is of another kind, say.
 */
const MEDIAN = { drift: 1, threshold: 8, leastChange: 0.3 };
const TAIL = { drift: 1.5, threshold: 9, leastChange: 0.35 };
/** Calls that take half a minute, such as long polls, end half a minute after the start. */
const WARM_UP_MS = 60_000;
const PATIENCE = 4;
/** What lasts so long is what the service is like now. */
const ADOPT_AFTER_MS = 600_000;
/** Without calls for so long nothing more is said about them. */
const QUIET_MS = 30_000;
/** Quicker than this is not told apart: on such a scale machines hiccup. */
const SHORTEST_MS = 1;

/**
 * Watches a quantile of the latency, on a logarithmic scale: what counts is how many times slower calls are. Samples of
 * few calls are gathered until there are enough, since a quantile of three calls is none; of several samples' quantiles
 * the same quantile is taken again.
 */
export class LatencyWatch {
  readonly #quantile: number;
  readonly #enough: number;
  readonly #detector: ChangeDetector;
  #samples: { logMs: number; calls: number }[] = [];
  #calls = 0;
  #lastCall = Number.NEGATIVE_INFINITY;
  #logLast = 0;

  /**
   * @param quantile which it is: from 0.5 on
   * @param enough calls that it is taken over at least
   */
  constructor(quantile: number, enough: number) {
    this.#quantile = quantile;
    this.#enough = enough;
    this.#detector = new ChangeDetector({
      ...(quantile > 0.5 ? TAIL : MEDIAN),
      leastDeviation: LEAST_DEVIATION,
      adoptAfterMs: ADOPT_AFTER_MS,
      warmUpMs: WARM_UP_MS,
      patience: PATIENCE,
    });
  }

  /** When all is well, in ms. */
  get baselineMs(): number {
    return Math.exp(this.#detector.baseline);
  }

  /** What was judged last, in ms. */
  get latencyMs(): number {
    return Math.exp(this.#logLast);
  }

  /** True while calls are too slow. */
  look(latencyMs: number | undefined, calls: number, now: number): boolean {
    if (latencyMs !== undefined && calls > 0) {
      this.#lastCall = now;
      this.#calls += calls;
      this.#samples.push({ logMs: Math.log(Math.max(SHORTEST_MS, latencyMs)), calls });
      if (this.#calls >= this.#enough) this.#judge(now);
    } else if (now - this.#lastCall > QUIET_MS) this.#detector.calm();
    return this.#detector.changed === 'up';
  }

  #judge(now: number): void {
    this.#logLast = this.#gathered();
    this.#detector.update(this.#logLast, now, this.#calls);
    this.#samples = [];
    this.#calls = 0;
  }

  #gathered(): number {
    this.#samples.sort((a, b) => a.logMs - b.logMs);
    let left = this.#quantile * this.#calls;
    for (const { logMs, calls } of this.#samples) {
      left -= calls;
      if (left <= 0) return logMs;
    }
    return this.#samples.at(-1)?.logMs ?? 0;
  }
}
