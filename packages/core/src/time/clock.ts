import { AsyncResource } from 'node:async_hooks';

/** A timer that can be taken back. */
export interface Timer {
  cancel(): void;
  /** Lets the timer keep the process alive, or not. Timers start without. */
  keepAlive(yes: boolean): void;
}

/** The only source of time in core. Tests put a virtual one in its place. */
export interface Clock {
  /** Monotonic time in ms, with fractions. Its zero has no meaning. */
  now(): number;
  /** Wall-clock time in ms since 1970, for people and for state that outlives the process. */
  wall(): number;
  /** Calls `callback` once, `delayMs` from now. */
  setTimer(callback: () => void, delayMs: number): Timer;
  /** Calls `callback` once, after the event loop has had a chance to poll for I/O. */
  afterPoll(callback: () => void): void;
}

/**
 * Where timers are set: outside of any request. They serve many, and would keep the async context of the one
 * that happened to set them.
 */
const outside = new AsyncResource('healix.clock');

class SystemTimer implements Timer {
  readonly #timeout: NodeJS.Timeout;

  constructor(callback: () => void, delayMs: number) {
    this.#timeout = setTimeout(callback, delayMs);
    this.#timeout.unref();
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }

  keepAlive(yes: boolean): void {
    if (yes) this.#timeout.ref();
    else this.#timeout.unref();
  }
}

/** Time as the machine tells it. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimer: (callback, delayMs) => outside.runInAsyncScope(() => new SystemTimer(callback, delayMs)),
  afterPoll: (callback) => {
    outside.runInAsyncScope(() => setImmediate(callback).unref());
  },
};
