const MEMORY_MS = 500;
const RISE_MS = 1_000;
/** Fewer calls in the memory than this say nothing. */
const LEAST_CALLS = 5;
/** Up to this share of overload there is room for all repeats; from the other on there is for none. */
const FREE_OVERLOAD = 0.02;
const FULL_OVERLOAD = 0.1;
/** From this share of good answers on a repeat is worth its while; up to the other none is. */
const WORTHWHILE = 0.3;
const HOPELESS = 0.1;

/**
 * How far an upstream has room for repeats, from what its calls came to and whether they are limited. Repeats cure an
 * upstream that fails now and then, however often, and kill one that is overloaded: a fixed share is too little for
 * the one and too much for the other (Brooker, "Fixing retries with token buckets and circuit breakers", 2022). So they
 * are given as many as there are calls while the upstream takes what it is sent; none beyond the fixed budget when it
 * says that it is overloaded, when calls to it are limited, or when next to nothing succeeds. Falls at once, rises
 * within a second.
 */
export class RetryHeadroom {
  #good = 0;
  #bad = 0;
  #overloads = 0;
  #value = 0;
  #at: number | undefined;

  /** For `RetryBudget.headroom`: 0 to 1. */
  get value(): number {
    return this.#value;
  }

  /**
   * To be told each tick, or each 500 ms at the least, what ended since the last time.
   *
   * @param limited whether a limit on concurrency is in force
   */
  update(successes: number, failures: number, overloads: number, limited: boolean, now: number): number {
    const sinceMs = now - (this.#at ?? now);
    this.#at = now;
    const kept = 2 ** (-sinceMs / MEMORY_MS);
    this.#good = this.#good * kept + successes;
    this.#bad = this.#bad * kept + failures;
    this.#overloads = this.#overloads * kept + overloads;
    const room = limited ? 0 : this.#room();
    this.#value = Math.min(room, this.#value + sinceMs / RISE_MS);
    return this.#value;
  }

  #room(): number {
    const served = this.#good + this.#bad;
    const calls = served + this.#overloads;
    if (calls < LEAST_CALLS) return 0;
    const byOverload = (FULL_OVERLOAD - this.#overloads / calls) / (FULL_OVERLOAD - FREE_OVERLOAD);
    const bySuccess = (this.#good / Math.max(served, 1) - HOPELESS) / (WORTHWHILE - HOPELESS);
    return Math.max(0, Math.min(1, byOverload, bySuccess));
  }
}
