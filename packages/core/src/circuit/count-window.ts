import type { CallWindow } from './call-window.ts';

const FAILED = 1;
const SLOW = 2;

/** The last `size` calls, however old they are. */
export class CountWindow implements CallWindow {
  calls = 0;
  failures = 0;
  slow = 0;
  readonly size: number;
  readonly #marks: Uint8Array;
  #next = 0;

  constructor(size: number) {
    this.size = size;
    this.#marks = new Uint8Array(size);
  }

  add(_now: number, failed: boolean, slow: boolean): void {
    const leaving = this.#marks[this.#next] as number;
    if (this.calls === this.size) {
      if (leaving & FAILED) this.failures--;
      if (leaving & SLOW) this.slow--;
    } else {
      this.calls++;
    }
    this.#marks[this.#next] = (failed ? FAILED : 0) | (slow ? SLOW : 0);
    if (failed) this.failures++;
    if (slow) this.slow++;
    this.#next = this.#next + 1 === this.size ? 0 : this.#next + 1;
  }

  expire(): void {}

  clear(): void {
    this.#marks.fill(0);
    this.#next = 0;
    this.calls = 0;
    this.failures = 0;
    this.slow = 0;
  }

  /** The latest of the same calls under another size. */
  resized(size: number): CountWindow {
    const next = new CountWindow(size);
    for (let age = this.calls; age > 0; age--) {
      const mark = this.#marks[(this.#next - age + this.size) % this.size] as number;
      next.add(0, (mark & FAILED) !== 0, (mark & SLOW) !== 0);
    }
    return next;
  }
}
