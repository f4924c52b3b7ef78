import type { Appointment, Calendar } from './calendar.ts';

/** Not 0, so that code which takes 0 for "never" shows itself. */
const START_MS = 1_000_000;

class Entry implements Appointment {
  readonly at: number;
  readonly order: number;
  /** Nobody's promise is settled by it. */
  readonly quiet: boolean;
  run: (() => void) | undefined;

  constructor(at: number, order: number, quiet: boolean, run: () => void) {
    this.at = at;
    this.order = order;
    this.quiet = quiet;
    this.run = run;
  }

  cancel(): void {
    this.run = undefined;
  }
}

/**
 * Virtual time: one queue of events, of which the next one happens when all that follows from the last one has. Events of
 * the same time happen in the order in which they were set.
 */
export class Timeline implements Calendar {
  now = START_MS;
  #order = 0;
  readonly #heap: Entry[] = [];

  at(time: number, run: () => void, quiet = false): Appointment {
    const entry = new Entry(Math.max(time, this.now), this.#order++, quiet, run);
    this.#push(entry);
    return entry;
  }

  /**
   * Has happen all that is due up to `until`. Promises settle between two events, in chains of any length: Node runs
   * the next tick only when no microtask is left. The real event loop stands still meanwhile.
   */
  run(until: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const nextTick = () => process.nextTick(step);
      const step = () => {
        try {
          if (this.#runUntilLoud(until)) queueMicrotask(nextTick);
          else resolve();
        } catch (error) {
          reject(error);
        }
      };
      queueMicrotask(nextTick);
    });
  }

  /** Runs events up to one after which promises may settle; false when there is none up to `until`. */
  #runUntilLoud(until: number): boolean {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.at > until) {
        this.now = Math.max(this.now, until);
        return false;
      }
      this.#pop();
      const { run } = next;
      if (run === undefined) continue;
      this.now = next.at;
      next.run = undefined;
      run();
      if (!next.quiet) return true;
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above] as Entry;
      if (!isBefore(entry, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry, heap[child] as Entry)) child++;
      if (!isBefore(heap[child] as Entry, last)) break;
      heap[index] = heap[child] as Entry;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
