/** Failures since the last success, and how long ago the `watched`-th last of them was. */
export class FailureStreak {
  length = 0;
  readonly #times: number[];
  #next = 0;

  constructor(watched: number) {
    this.#times = new Array<number>(watched).fill(Number.NEGATIVE_INFINITY);
  }

  add(now: number): void {
    this.#times[this.#next] = now;
    this.#next = (this.#next + 1) % this.#times.length;
    this.length++;
  }

  /** Ms since the `watched`-th last failure; infinite while there were fewer. */
  spanMs(now: number): number {
    return now - (this.#times[this.#next] as number);
  }

  /** The same streak, watching another number of failures; it knows no more times than it watched before. */
  resized(watched: number): FailureStreak {
    const next = new FailureStreak(watched);
    for (let age = this.#times.length; age > 0; age--) {
      const at = this.#times[(this.#next - age + this.#times.length) % this.#times.length] as number;
      if (at !== Number.NEGATIVE_INFINITY) next.add(at);
    }
    next.length = this.length;
    return next;
  }
}
