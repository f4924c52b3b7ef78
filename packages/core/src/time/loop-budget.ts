export interface LoopBudgetOptions {
  /** Share of one core that the control loop may take. Default: 0.02. */
  readonly share?: number;
  /** Time that the share is taken over, in ms. Default: 5,000. */
  readonly windowMs?: number;
  /** The share must have been low for so long before more is done again. Default: 30,000. */
  readonly calmMs?: number;
}

/**
 * How much the control loop may still do, from all to the least: without evolution; with a longer tick as well; and
 * the basic tier alone.
 */
export const LOOP_LEVELS = ['all', 'no-evolution', 'longer-tick', 'basic'] as const;
export type LoopLevel = (typeof LOOP_LEVELS)[number];

/** A share so many times too high leaves no time for one step after the other. */
const GROSS = 4;
/** More is done again only where there is room for it. */
const ROOM = 0.5;

/**
 * Healing must not be the illness: holds the time that the control loop takes against a share of one core. A step down
 * for each window in which it was too much, all the way at once where it was far too much; a step up after a calm in
 * which it was half of it at most. The time between the two is the hysteresis: what is given back may cost as much.
 */
export class LoopBudget {
  readonly #share: number;
  readonly #windowMs: number;
  readonly #calmMs: number;
  #level = 0;
  #spentMs = 0;
  #windowSince: number | undefined;
  #calmSince: number | undefined;
  #last = 0;

  constructor({ share = 0.02, windowMs = 5_000, calmMs = 30_000 }: LoopBudgetOptions = {}) {
    this.#share = share;
    this.#windowMs = windowMs;
    this.#calmMs = calmMs;
  }

  get level(): LoopLevel {
    return LOOP_LEVELS[this.#level] as LoopLevel;
  }

  /** The share that was taken in the last whole window. */
  get share(): number {
    return this.#last;
  }

  /**
   * Books one tick; the first one begins the first window.
   *
   * @param spentMs time that the loop has taken since the last one
   * @param now when the tick ended
   */
  spent(spentMs: number, now: number): LoopLevel {
    if (this.#windowSince === undefined) {
      this.#windowSince = now;
      return this.level;
    }
    this.#spentMs += spentMs;
    const passedMs = now - this.#windowSince;
    if (passedMs >= this.#windowMs) {
      this.#last = Math.min(1, this.#spentMs / passedMs);
      this.#windowSince = now;
      this.#spentMs = 0;
      this.#judge(now);
    }
    return this.level;
  }

  #judge(now: number): void {
    if (this.#last > this.#share) {
      this.#calmSince = undefined;
      const steps = this.#last > GROSS * this.#share ? LOOP_LEVELS.length : 1;
      this.#level = Math.min(LOOP_LEVELS.length - 1, this.#level + steps);
    } else if (this.#last > ROOM * this.#share) {
      this.#calmSince = undefined;
    } else {
      this.#calmSince ??= now - this.#windowMs;
      if (now - this.#calmSince < this.#calmMs) return;
      this.#level = Math.max(0, this.#level - 1);
      this.#calmSince = now;
    }
  }
}
