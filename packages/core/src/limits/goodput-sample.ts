import type { CallTally } from './call-tally.ts';

/** Fewer good answers do not tell one rate from another. */
const LEAST_SAMPLES = 60;
/** Where much hangs on it. */
const SURE_SAMPLES = 100;
const LONGEST_MS = 3_000;

/** Good answers over some windows, until they make a rate to go by. */
export class GoodputSample {
  #good = 0;
  #ms = 0;

  add({ good }: CallTally, ageMs: number): void {
    this.#good += good;
    this.#ms += ageMs;
  }

  clear(): void {
    this.#good = 0;
    this.#ms = 0;
  }

  /** Good answers a ms. */
  get rate(): number {
    return this.#good / this.#ms;
  }

  get isEmpty(): boolean {
    return this.#good === 0;
  }

  /** @param latencyMs it covers one latency at least */
  isEnough(latencyMs: number, sure: boolean): boolean {
    const samples = sure ? SURE_SAMPLES : LEAST_SAMPLES;
    return this.#ms >= latencyMs && (this.#good >= samples || this.#ms >= LONGEST_MS);
  }
}
