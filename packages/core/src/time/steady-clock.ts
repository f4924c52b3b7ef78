import { type Clock, systemClock, type Timer } from './clock.ts';

/** As late as a timer may seem: well below what counts as a stall. */
const MOST_LATE_MS = 50;

/**
 * Real time for tests with real servers on busy machines. While the process could not run, time seems to have stood
 * still, so that calls are not excused for a stall that the test is not about.
 */
export class SteadyClock implements Clock {
  readonly #due = new Set<number>();
  #hiddenMs = 0;

  now(): number {
    const now = systemClock.now() - this.#hiddenMs;
    const latest = Math.min(...this.#due) + MOST_LATE_MS;
    if (now <= latest) return now;
    this.#hiddenMs += now - latest;
    return latest;
  }

  wall(): number {
    return systemClock.wall();
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const due = this.now() + delayMs;
    this.#due.add(due);
    const fire = () => {
      this.now();
      try {
        callback();
      } finally {
        this.now();
        this.#due.delete(due);
      }
    };
    const timer = systemClock.setTimer(fire, delayMs);
    return {
      cancel: () => {
        this.#due.delete(due);
        timer.cancel();
      },
      keepAlive: (yes) => timer.keepAlive(yes),
    };
  }

  afterPoll(callback: () => void): void {
    systemClock.afterPoll(callback);
  }
}
