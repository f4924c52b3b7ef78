/** A replica that was not heard of for so long is none any more. */
const SILENT_MS = 15_000;
/** R9: so long after the membership began, whoever lives has been heard of. */
const SETTLED_MS = 10_000;
/** A membership that nobody has kept up for so long is over. */
const FORGOTTEN_MS = 86_400_000;

/** The replicas that live. Times are whole ms by the memory's clock. */
export class Members {
  readonly #beats = new Map<string, number>();
  #bornAt = 0;
  #lastBeatAt = 0;

  get count(): number {
    return this.#beats.size;
  }

  beat(replica: string, now: number): void {
    this.#beats.set(replica, now);
    this.drop(now);
    const isOver = this.#bornAt > now || now - this.#lastBeatAt >= FORGOTTEN_MS;
    if (this.#bornAt === 0 || isOver) this.#bornAt = now;
    this.#lastBeatAt = now;
  }

  leave(replica: string): void {
    this.#beats.delete(replica);
  }

  /** Those that are silent, and those from after now. */
  drop(now: number): void {
    for (const [replica, at] of this.#beats) {
      if (at > now || at < now - SILENT_MS) this.#beats.delete(replica);
    }
  }

  isAlone(replica: string, now: number): boolean {
    this.drop(now);
    const isOnly = this.#beats.size === 1 && this.#beats.has(replica);
    return isOnly && this.#bornAt > 0 && now - this.#bornAt > SETTLED_MS;
  }
}
