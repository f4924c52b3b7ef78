import type { RateOptions } from '../config/schema.ts';
import { resolveRate } from '../config/settings.ts';

/** What fractions of a token lose when they are added up. */
const ROUNDING = 1e-6;

/** A token bucket: `calls` in `perMs`, at most `burst` at once. */
export class RateLimiter {
  #perCallMs = 1;
  #burst = 0;
  #tokens = 0;
  #filledAt: number;

  /** @throws ConfigError for a wrong setting */
  constructor(options: RateOptions, now: number) {
    this.#filledAt = now;
    this.update(options, now);
  }

  /** Puts another rate in force; what was spent of the burst stays spent. @throws ConfigError for a wrong setting */
  update(options: RateOptions, now: number): void {
    const settings = resolveRate(options);
    this.#fill(now);
    const spent = this.#burst - this.#tokens;
    this.#perCallMs = settings.perMs / settings.calls;
    this.#burst = settings.burst ?? Math.max(1, settings.calls);
    this.#tokens = Math.max(0, this.#burst - spent);
  }

  /** Takes a call's token and returns 0, or the ms until there is one. */
  take(now: number): number {
    this.#fill(now);
    if (this.#tokens < 1 - ROUNDING) return Math.max(1, (1 - this.#tokens) * this.#perCallMs);
    this.#tokens -= 1;
    return 0;
  }

  #fill(now: number): void {
    const earned = Math.max(0, now - this.#filledAt) / this.#perCallMs;
    this.#tokens = Math.min(this.#burst, this.#tokens + earned);
    this.#filledAt = Math.max(now, this.#filledAt);
  }
}
