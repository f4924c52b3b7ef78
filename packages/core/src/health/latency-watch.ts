import { ChangeDetector } from './change-detector.ts';

/** Latencies of single calls differ by a factor of e^this at least: services as regular as that are rare. */
const LEAST_DEVIATION = 0.5;
/** ln 1.28: half as much again is seen soon, a quarter more never. */
const LEAST_CHANGE = 0.25;
/** What lasts so long is what the service is like now. */
const ADOPT_AFTER_MS = 600_000;
/** Without calls for so long nothing more is said about them. */
const QUIET_MS = 30_000;
/** Quicker than this is not told apart: on such a scale machines hiccup. */
const SHORTEST_MS = 1;

/** How samples of few calls become one figure: the mean of medians, but the greatest of upper quantiles. */
export type Merge = 'mean' | 'greatest';

/**
 * Watches a quantile of the latency, on a logarithmic scale: what counts is how many times slower calls are. Samples of
 * few calls are gathered until there are `enough`, since a quantile of three calls is none.
 */
export class LatencyWatch {
  readonly #enough: number;
  readonly #merge: Merge;
  readonly #detector = new ChangeDetector({
    leastChange: LEAST_CHANGE,
    leastDeviation: LEAST_DEVIATION,
    adoptAfterMs: ADOPT_AFTER_MS,
  });
  #calls = 0;
  #gathered = 0;
  #lastCall = Number.NEGATIVE_INFINITY;
  #logLast = 0;

  constructor(enough: number, merge: Merge) {
    this.#enough = enough;
    this.#merge = merge;
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
    if (latencyMs !== undefined && calls > 0)
      this.#gather(Math.log(Math.max(SHORTEST_MS, latencyMs)), calls, now);
    else if (now - this.#lastCall > QUIET_MS) this.#detector.calm();
    return this.#detector.changed === 'up';
  }

  #gather(logMs: number, calls: number, now: number): void {
    const before = this.#calls;
    this.#lastCall = now;
    this.#calls += calls;
    if (this.#merge === 'mean') this.#gathered += (logMs - this.#gathered) * (calls / this.#calls);
    else this.#gathered = before === 0 ? logMs : Math.max(this.#gathered, logMs);
    if (this.#calls < this.#enough) return;
    this.#logLast = this.#gathered;
    this.#detector.update(this.#gathered, now, this.#calls);
    this.#calls = 0;
    this.#gathered = 0;
  }
}
