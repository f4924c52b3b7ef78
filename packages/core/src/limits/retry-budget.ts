import { TimeWindow } from '../circuit/time-window.ts';
import type { RetryBudgetOptions } from '../config/schema.ts';
import { resolveBudget } from '../config/settings.ts';
import { type Clock, systemClock } from '../time/clock.ts';

const WINDOW_MS = 10_000;

/**
 * Bounds repeats to a share of the calls of the last 10 s, with a floor a second, so that retries cannot
 * multiply an outage (after Finagle's RetryBudget). Taken before the wait, not after it.
 */
export class RetryBudget {
  /** How far the upstream has room for repeats, 0 to 1: as many a call, where that is more than the budget. */
  headroom = 0;
  readonly #clock: Clock;
  readonly #window = new TimeWindow(WINDOW_MS);
  #share: number;
  #floor: number;

  /**
   * @param options what differs from the defaults of `docs/settings.md`, section retry
   * @throws ConfigError for a wrong setting
   */
  constructor(options: RetryBudgetOptions = {}, clock: Clock = systemClock) {
    const { budget, budgetPerSecond } = resolveBudget(options);
    this.#clock = clock;
    this.#share = budget;
    this.#floor = budgetPerSecond * (WINDOW_MS / 1_000);
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
    const share = Math.max(this.#share, this.headroom);
    return (this.#window.calls - repeats) * share + this.#floor - repeats;
  }

  /** Puts other settings in force; what was counted is kept. @throws ConfigError */
  update(options: RetryBudgetOptions): void {
    resolveBudget(options);
    if (options.budget !== undefined) this.#share = options.budget;
    if (options.budgetPerSecond !== undefined) this.#floor = options.budgetPerSecond * (WINDOW_MS / 1_000);
  }
}
