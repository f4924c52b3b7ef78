import { TimeWindow } from '../circuit/time-window.ts';
import { type Clock, systemClock } from '../time/clock.ts';

const WINDOW_MS = 10_000;

export interface RetryBudgetOptions {
  /** Repeats allowed as a share of the calls of the last 10 s. Default 0.2. */
  budget?: number;
  /** Repeats a second allowed however few the calls. Default 1. */
  budgetPerSecond?: number;
}

/**
 * Bounds repeats to a share of the calls of the last 10 s, with a floor a second, so that retries cannot
 * multiply an outage (after Finagle's RetryBudget). Taken before the wait, not after it.
 */
export class RetryBudget {
  readonly #clock: Clock;
  readonly #window = new TimeWindow(WINDOW_MS);
  #share: number;
  #floor: number;

  constructor(options: RetryBudgetOptions = {}, clock: Clock = systemClock) {
    this.#clock = clock;
    this.#share = options.budget ?? 0.2;
    this.#floor = (options.budgetPerSecond ?? 1) * (WINDOW_MS / 1_000);
  }

  /** Counts a call, which earns its share of a repeat. */
  deposit(now: number = this.#clock.now()): void {
    this.#window.add(now, false, false);
  }

  /** Takes one repeat; false when the budget is spent. */
  tryWithdraw(now: number = this.#clock.now()): boolean {
    if (this.available(now) < 1) return false;
    this.#window.add(now, true, false);
    return true;
  }

  /** Repeats that are left now. */
  available(now: number = this.#clock.now()): number {
    this.#window.expire(now);
    const repeats = this.#window.failures;
    return (this.#window.calls - repeats) * this.#share + this.#floor - repeats;
  }

  update(options: RetryBudgetOptions): void {
    if (options.budget !== undefined) this.#share = options.budget;
    if (options.budgetPerSecond !== undefined) this.#floor = options.budgetPerSecond * (WINDOW_MS / 1_000);
  }
}
