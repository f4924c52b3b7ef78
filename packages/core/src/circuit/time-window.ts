import type { CallWindow } from './call-window.ts';

const BUCKETS = 10;
const FIELDS = 3;

/** The calls of the last `windowMs`, in ten buckets: the oldest tenth leaves as a whole. */
export class TimeWindow implements CallWindow {
  calls = 0;
  failures = 0;
  slow = 0;
  readonly windowMs: number;
  readonly #bucketMs: number;
  /** Small integers in a plain array: a typed one takes three objects more. */
  readonly #counts: number[] = new Array(BUCKETS * FIELDS).fill(0);
  #head = 0;
  #headEnds = Number.NEGATIVE_INFINITY;

  constructor(windowMs: number) {
    this.windowMs = windowMs;
    this.#bucketMs = windowMs / BUCKETS;
  }

  add(now: number, failed: boolean, slow: boolean): void {
    if (now >= this.#headEnds) this.expire(now);
    const at = this.#head;
    const counts = this.#counts;
    counts[at] = (counts[at] as number) + 1;
    this.calls++;
    if (failed || slow) this.#mark(at, failed, slow);
  }

  #mark(at: number, failed: boolean, slow: boolean): void {
    const counts = this.#counts;
    if (failed) {
      counts[at + 1] = (counts[at + 1] as number) + 1;
      this.failures++;
    }
    if (slow) {
      counts[at + 2] = (counts[at + 2] as number) + 1;
      this.slow++;
    }
  }

  expire(now: number): void {
    if (now < this.#headEnds) return;
    const passed = Math.floor((now - this.#headEnds) / this.#bucketMs) + 1;
    if (passed >= BUCKETS) {
      this.clear();
      this.#headEnds = now + this.#bucketMs;
      return;
    }
    for (let step = 0; step < passed; step++) this.#advance();
    this.#headEnds += passed * this.#bucketMs;
  }

  clear(): void {
    this.#counts.fill(0);
    this.calls = 0;
    this.failures = 0;
    this.slow = 0;
  }

  /** The same calls under another length, each as old as its bucket was. */
  resized(windowMs: number, now: number): TimeWindow {
    this.expire(now);
    const next = new TimeWindow(windowMs);
    for (let age = BUCKETS - 1; age >= 0; age--) {
      const at = ((this.#head / FIELDS - age + BUCKETS) % BUCKETS) * FIELDS;
      next.#absorb(now - age * this.#bucketMs, this.#counts.slice(at, at + FIELDS));
    }
    next.expire(now);
    return next;
  }

  #absorb(at: number, counts: readonly number[]): void {
    this.expire(at);
    const [calls = 0, failures = 0, slow = 0] = counts;
    this.calls += calls;
    this.failures += failures;
    this.slow += slow;
    for (let field = 0; field < FIELDS; field++) {
      this.#counts[this.#head + field] =
        (this.#counts[this.#head + field] as number) + (counts[field] as number);
    }
  }

  #advance(): void {
    this.#head = (this.#head + FIELDS) % (BUCKETS * FIELDS);
    const at = this.#head;
    const counts = this.#counts;
    this.calls -= counts[at] as number;
    this.failures -= counts[at + 1] as number;
    this.slow -= counts[at + 2] as number;
    counts.fill(0, at, at + FIELDS);
  }
}
