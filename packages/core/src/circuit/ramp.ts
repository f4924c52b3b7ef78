const FIRST_SHARE = 0.2;

/** Lets traffic back in after a circuit has closed: a fifth of it at first, all of it after `rampMs`. */
export class Ramp {
  readonly #from: number;
  #credit = 1;

  constructor(from: number) {
    this.#from = from;
  }

  share(now: number, rampMs: number): number {
    if (rampMs === 0) return 1;
    return Math.min(1, FIRST_SHARE + ((1 - FIRST_SHARE) * (now - this.#from)) / rampMs);
  }

  /** Ms until all traffic is let in. */
  leftMs(now: number, rampMs: number): number {
    return Math.max(0, this.#from + rampMs - now);
  }

  /** Whether one more call is let in, when `share` of them are. */
  admits(share: number): boolean {
    this.#credit += share;
    if (this.#credit < 1) return false;
    this.#credit -= 1;
    return true;
  }
}
