import type { Clock, Timer } from '../../../packages/core/src/time/clock.ts';

class FreezableTimer implements Timer {
  readonly callback: () => void;
  timer: Timer | undefined;
  cancelled = false;

  constructor(callback: () => void) {
    this.callback = callback;
  }

  cancel(): void {
    this.cancelled = true;
    this.timer?.cancel();
  }

  keepAlive(): void {}
}

/** The world's time, as one process has it: which can be stopped and go on (SIGSTOP, SIGCONT), or be killed. */
export class ReplicaClock implements Clock {
  readonly #world: Clock;
  readonly #late: FreezableTimer[] = [];
  #frozen = false;

  constructor(world: Clock) {
    this.#world = world;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  now(): number {
    return this.#world.now();
  }

  wall(): number {
    return this.#world.wall();
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const timer = new FreezableTimer(callback);
    timer.timer = this.#world.setTimer(() => this.#run(timer), delayMs);
    return timer;
  }

  afterPoll(callback: () => void): void {
    this.#world.afterPoll(() => this.#run(new FreezableTimer(callback)));
  }

  /** Resolves at once, or when the process runs again. */
  awake(): Promise<void> {
    if (!this.#frozen) return Promise.resolve();
    return new Promise((resolve) => this.#late.push(new FreezableTimer(resolve)));
  }

  freeze(): void {
    this.#frozen = true;
  }

  /** What fell due runs late, one after the other. */
  thaw(): void {
    this.#frozen = false;
    for (const timer of this.#late.splice(0)) this.#world.setTimer(() => this.#run(timer), 0);
  }

  #run(timer: FreezableTimer): void {
    if (this.#frozen) this.#late.push(timer);
    else if (!timer.cancelled) timer.callback();
  }
}
