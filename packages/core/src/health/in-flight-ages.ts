const SLOTS = 64;

/**
 * How old the calls in flight are, by the slot of time that they began in: two array operations a call and no object,
 * so that calls which hang are seen while they hang. What began before all slots is counted in one number.
 */
export class InFlightAges {
  readonly #slotMs: number;
  readonly #since: number;
  readonly #counts = new Int32Array(SLOTS);
  #head = 0;
  #older = 0;

  /**
   * @param spanMs the greatest age that is told apart from greater ones; ages are exact to a 62nd of it
   * @param since calls that began then or before are not counted, when they leave either
   */
  constructor(spanMs = 31_000, since = Number.NEGATIVE_INFINITY) {
    this.#slotMs = spanMs / (SLOTS - 2);
    this.#since = since;
  }

  /** A call that began at `start` is in flight. */
  enter(start: number): void {
    if (start <= this.#since) return;
    const slot = Math.floor(start / this.#slotMs);
    if (slot > this.#head) this.#advance(slot);
    this.#change(slot, 1);
  }

  /** It is no more; `start` is what `enter` was given. */
  leave(start: number): void {
    if (start > this.#since) this.#change(Math.floor(start / this.#slotMs), -1);
  }

  /**
   * Calls in flight that are surely older than `ms`: each is counted from a slot's length after that age at the latest.
   * An age beyond the span counts as the span.
   */
  olderThan(ms: number, now: number): number {
    const present = Math.floor(now / this.#slotMs);
    if (present > this.#head) this.#advance(present);
    const until = Math.floor((now - ms) / this.#slotMs);
    let count = this.#older;
    for (let slot = this.#head - SLOTS + 1; slot < until; slot++)
      count += this.#counts[slot & (SLOTS - 1)] as number;
    return count;
  }

  #change(slot: number, by: number): void {
    if (slot <= this.#head - SLOTS) this.#older += by;
    else this.#counts[slot & (SLOTS - 1)] = (this.#counts[slot & (SLOTS - 1)] as number) + by;
  }

  #advance(to: number): void {
    // Past a whole turn each slot has been emptied once.
    const last = Math.min(to, this.#head + SLOTS);
    for (let slot = this.#head + 1; slot <= last; slot++) {
      const at = slot & (SLOTS - 1);
      this.#older += this.#counts[at] as number;
      this.#counts[at] = 0;
    }
    this.#head = to;
  }
}
