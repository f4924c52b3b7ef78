/** A token is whole from here on: at its own time, computed, it may be a hair less than 1. */
const WHOLE = 1 - 1e-6;

/** A limit on requests a second, as upstreams have it: a tenth of a second's worth may come at once. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  constructor(perSecond: number, now: number) {
    this.#perMs = perSecond / 1_000;
    this.#burst = Math.max(1, perSecond / 10);
    this.#tokens = this.#burst;
    this.#at = now;
  }

  take(now: number): boolean {
    this.#refill(now);
    if (this.#tokens < WHOLE) return false;
    this.#tokens--;
    return true;
  }

  /** When the next request would be taken. */
  nextAt(now: number): number {
    this.#refill(now);
    return this.#tokens >= WHOLE ? now : now + (1 - this.#tokens) / this.#perMs;
  }

  #refill(now: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs);
    this.#at = now;
  }
}
