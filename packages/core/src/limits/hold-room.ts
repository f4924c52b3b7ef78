/** A call that waits for its upstream. */
export interface Held {
  /** When its caller is out of time, monotonic ms. */
  readonly endsAt: number;
  /** The upstream is there again: the call may be made now. */
  letGo(now: number): void;
  /** It waited in vain: what would have been without the wait is to be done now. */
  giveUp(now: number): void;
}

export interface HoldRoomOptions {
  /** Calls that are held at once; each keeps its request in memory. Default: 500. */
  readonly maxHeld?: number | undefined;
  /** The longest wait in ms, whatever time the caller has. Default: 1000. */
  readonly maxHoldMs?: number | undefined;
}

interface Place {
  readonly held: Held;
  readonly until: number;
}

/** The share of the usual traffic that is let go beside it at first, and how long until that has doubled. */
const FIRST_SHARE = 0.5;
const DOUBLING_MS = 200;
const LEAST_PER_SECOND = 10;
/** Let go at once after a pause: no more than this time has earned. */
const LONGEST_STEP_MS = 100;

/**
 * Holds calls for a moment while their upstream is down or flapping, rather than refusing them. Each is held no longer
 * than leaves it the time that a call takes, and let go as the upstream comes back: at half of the usual rate at
 * first, doubling each 200 ms, lest they fall on it all at once.
 *
 * First come, first let go. Where a queue stays overloaded the newest first is better (adaptive LIFO: Maurer, "Fail at
 * Scale", ACM Queue 2015), since the oldest are served just too late. Here nobody enters any more once calls get
 * through, and who could not be answered in time has been sent away (as CoDel drops what has waited too long), so the
 * one with the least time left goes first: no order saves more of them (Liu and Layland, JACM 1973).
 */
export class HoldRoom {
  readonly #maxHeld: number;
  readonly #maxHoldMs: number;
  #places: Place[] = [];
  #servedAt = Number.NEGATIVE_INFINITY;
  #servingSince = 0;
  #credit = 0;

  constructor({ maxHeld = 500, maxHoldMs = 1_000 }: HoldRoomOptions = {}) {
    this.#maxHeld = maxHeld;
    this.#maxHoldMs = maxHoldMs;
  }

  /** Calls that are held now. */
  get size(): number {
    return this.#places.length;
  }

  /**
   * Takes a call in; false where there is no place, or no time.
   *
   * @param neededMs what a call takes when all is well
   */
  enter(held: Held, neededMs: number, now: number): boolean {
    const until = Math.min(held.endsAt - neededMs, now + this.#maxHoldMs);
    if (until <= now || this.#places.length >= this.#maxHeld) return false;
    this.#places.push({ held, until });
    return true;
  }

  /** A caller is gone. False where the call was not held any more. */
  leave(held: Held): boolean {
    const index = this.#places.findIndex((place) => place.held === held);
    if (index < 0) return false;
    this.#places.splice(index, 1);
    return true;
  }

  /** Sends away those whose wait is over; to be called each tick. */
  expire(now: number): void {
    if (!this.#places.some(({ until }) => until <= now)) return;
    const over = this.#places.filter(({ until }) => until <= now);
    this.#places = this.#places.filter(({ until }) => until > now);
    for (const { held } of over) held.giveUp(now);
  }

  /**
   * Lets go as many as the pace and `admits` allow, each tick for as long as the upstream takes calls; after a pause
   * the pace begins anew.
   *
   * @param perSecond the usual calls a second of the upstream
   * @param admits whether one more call would be let in now; it is then made
   */
  serve(perSecond: number, admits: () => boolean, now: number): void {
    this.expire(now);
    const sinceMs = now - this.#servedAt;
    if (sinceMs > LONGEST_STEP_MS) {
      this.#servingSince = now;
      this.#credit = 1;
    } else {
      const share = FIRST_SHARE * 2 ** ((now - this.#servingSince) / DOUBLING_MS);
      const pace = Math.max(LEAST_PER_SECOND, perSecond * share);
      this.#credit = Math.min(this.#maxHeld, this.#credit + (pace * sinceMs) / 1_000);
    }
    this.#servedAt = now;
    while (this.#credit >= 1 && this.#places.length > 0 && admits()) {
      this.#credit--;
      (this.#places.shift() as Place).held.letGo(now);
    }
    if (this.#places.length === 0) this.#credit = Math.min(this.#credit, 1);
  }

  /** Sends all away. */
  clear(now: number): void {
    for (const { held } of this.#places.splice(0)) held.giveUp(now);
  }
}
