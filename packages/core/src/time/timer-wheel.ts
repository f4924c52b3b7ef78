/** Something that may have to be woken at a deadline. Most entries end long before theirs. */
export abstract class Timed {
  /** Monotonic ms at which `expire` is due. */
  deadline = 0;
  /** True once the entry no longer wants to be woken. */
  settled = false;
  /** @internal Where the wheel keeps it. */
  wheelBucket: Timed[] | undefined = undefined;
  /** @internal */
  wheelIndex = 0;

  abstract expire(now: number): void;

  /**
   * Hears of the first tick since it was added, which it is at most as old as. The coarse time stands still between
   * ticks, and through a stall: a deadline that counts from it is put off here, lest it come early.
   */
  ticked(_now: number): void {}
}

const BUCKETS = 512;

/**
 * One coarse timer for every deadline of a process: a hashed timing wheel (Varghese and Lauck, SOSP 1987).
 * New entries wait in a nursery until the next tick, and only those still unsettled then are sorted into the
 * wheel, so a call that ends within a tick costs one push and one pop.
 */
export class TimerWheel {
  readonly #tickMs: number;
  readonly #buckets: Timed[][] = Array.from({ length: BUCKETS }, () => []);
  readonly #nursery: Timed[] = [];
  readonly #onError: (error: unknown) => void;
  #sorted = 0;
  #lastTick = 0;

  /** @param onError told what an entry throws when it is woken: the others are woken all the same */
  constructor(tickMs: number, now: number, onError: (error: unknown) => void) {
    this.#tickMs = tickMs;
    this.#onError = onError;
    this.#lastTick = Math.floor(now / tickMs);
  }

  /** True while some entry may still want to be woken. */
  get busy(): boolean {
    return this.#sorted > 0 || this.#nursery.length > 0;
  }

  add(entry: Timed): void {
    entry.wheelBucket = this.#nursery;
    entry.wheelIndex = this.#nursery.push(entry) - 1;
  }

  /** Ends an entry's wait. Calling it again does no harm. */
  settle(entry: Timed): void {
    entry.settled = true;
    const bucket = entry.wheelBucket;
    if (bucket === undefined) return;
    if (bucket !== this.#nursery) this.#sorted--;
    entry.wheelBucket = undefined;
    const last = bucket.pop() as Timed;
    if (last === entry) return;
    bucket[entry.wheelIndex] = last;
    last.wheelIndex = entry.wheelIndex;
  }

  /**
   * Wakes every entry whose deadline is at or before `now`.
   *
   * @param present what new entries are told, where the time has moved on meanwhile
   */
  advance(now: number, present = now): void {
    for (const entry of this.#nursery) this.#sort(entry, present);
    this.#nursery.length = 0;
    const tick = Math.floor(now / this.#tickMs);
    const from = Math.max(this.#lastTick, tick - BUCKETS + 1);
    this.#lastTick = tick;
    if (this.#sorted === 0) return;
    for (let visited = from; visited <= tick; visited++) {
      const due = (this.#buckets[visited % BUCKETS] as Timed[]).filter(({ deadline }) => deadline <= now);
      for (const entry of due) this.#expire(entry, now);
    }
  }

  #expire(entry: Timed, now: number): void {
    if (entry.settled) return;
    this.settle(entry);
    try {
      entry.expire(now);
    } catch (error) {
      this.#onError(error);
    }
  }

  #sort(entry: Timed, present: number): void {
    entry.ticked(present);
    const tick = Math.max(Math.floor(entry.deadline / this.#tickMs), this.#lastTick);
    const bucket = this.#buckets[tick % BUCKETS] as Timed[];
    entry.wheelBucket = bucket;
    entry.wheelIndex = bucket.push(entry) - 1;
    this.#sorted++;
  }
}
