/** As long as idle connections are kept by default (undici, Node's agents): after it none is left of before. */
const RENEWAL_MS = 4_000;

/**
 * Whether the connections to an upstream are to be made anew: an adapter that can says `renewable`, and while
 * `isRenewing` has each connection closed behind the answer that it carries.
 */
export class Connections {
  renewable = false;
  #until = Number.NEGATIVE_INFINITY;

  /** Has them made anew from `now` on, in monotonic ms, for four seconds. */
  renew(now: number): void {
    this.#until = now + RENEWAL_MS;
  }

  /** Has them kept again. */
  keep(): void {
    this.#until = Number.NEGATIVE_INFINITY;
  }

  isRenewing(now: number): boolean {
    return now < this.#until;
  }
}
