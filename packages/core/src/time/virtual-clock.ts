import type { Clock, Timer } from './clock.ts';

/** Not 0, so that code which takes 0 for "never" shows itself. */
const START_MS = 1_000_000;
const WALL_START_MS = Date.UTC(2026, 0, 1);
/** As in Node, where a timer of 0 ms waits for 1. */
const SHORTEST_DELAY_MS = 1;

class VirtualTimer implements Timer {
  readonly callback: () => void;
  readonly dueAt: number;
  readonly #timers: Set<VirtualTimer>;
  keepsAlive = false;

  constructor(callback: () => void, dueAt: number, timers: Set<VirtualTimer>) {
    this.callback = callback;
    this.dueAt = dueAt;
    this.#timers = timers;
    timers.add(this);
  }

  cancel(): void {
    this.#timers.delete(this);
  }

  keepAlive(yes: boolean): void {
    this.keepsAlive = yes;
  }
}

/** Time that stands still until it is told to move. */
export class VirtualClock implements Clock {
  #now = START_MS;
  #wallSkew = WALL_START_MS - START_MS;
  readonly #timers = new Set<VirtualTimer>();
  #polls: (() => void)[] = [];
  readonly #held = new Set<Promise<unknown>>();

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#now + this.#wallSkew;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    return new VirtualTimer(callback, this.#now + Math.max(SHORTEST_DELAY_MS, delayMs), this.#timers);
  }

  afterPoll(callback: () => void): void {
    this.#polls.push(callback);
  }

  /** Timers that have not run yet. */
  get pending(): number {
    return this.#timers.size;
  }

  /** True while a timer would keep a real process alive. */
  get keepsAlive(): boolean {
    return [...this.#timers].some((timer) => timer.keepsAlive);
  }

  /** Moves time on, running what falls due in order; promises settle after each callback. */
  async advance(ms: number): Promise<void> {
    await this.#settle();
    for (const callback of this.#due(this.#now + ms)) {
      callback();
      await this.#settle();
    }
  }

  /** `work`, for which time stands still while it moves by `advance`: what happens outside, such as a server's answer. */
  async hold<T>(work: Promise<T>): Promise<T> {
    this.#held.add(work);
    try {
      return await work;
    } finally {
      this.#held.delete(work);
    }
  }

  /** The same in one go: promises settle only when the caller next awaits something. */
  advanceSync(ms: number): void {
    for (const callback of this.#due(this.#now + ms)) callback();
  }

  /** Time passes while nothing can run, as when the event loop is blocked. What fell due runs late. */
  block(ms: number): void {
    this.#now += ms;
  }

  /** The wall clock is set forwards, or back. */
  skewWall(ms: number): void {
    this.#wallSkew += ms;
  }

  async #settle(): Promise<void> {
    await realTurn();
    while (this.#held.size > 0) {
      await Promise.allSettled(this.#held);
      await realTurn();
    }
  }

  *#due(until: number): Generator<() => void> {
    for (;;) {
      const timer = this.#earliest();
      const moment = timer ? Math.max(this.#now, timer.dueAt) : until;
      if (this.#polls.length > 0 && (timer === undefined || moment > this.#now)) {
        yield* this.#takePolls();
      } else if (timer !== undefined && moment <= Math.max(until, this.#now)) {
        timer.cancel();
        this.#now = moment;
        yield timer.callback;
      } else {
        this.#now = Math.max(this.#now, until);
        return;
      }
    }
  }

  #earliest(): VirtualTimer | undefined {
    let earliest: VirtualTimer | undefined;
    for (const timer of this.#timers)
      if (earliest === undefined || timer.dueAt < earliest.dueAt) earliest = timer;
    return earliest;
  }

  #takePolls(): (() => void)[] {
    const polls = this.#polls;
    this.#polls = [];
    return polls;
  }
}

/** A turn of the real event loop, in which chains of promises of any length settle. */
function realTurn(): Promise<void> {
  // biome-ignore lint/style/noRestrictedGlobals: promises settle in real turns, whatever the virtual time
  return new Promise((resolve) => setImmediate(resolve));
}
