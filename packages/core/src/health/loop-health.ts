import { type LoopDelay, type LoopMeter, systemLoopMeter } from '../time/loop-meter.ts';

/** How the event loop of this process has fared between two looks. */
export interface LoopReading extends LoopDelay {
  /** Share of the time in which the loop was busy, 0 to 1. */
  readonly utilization: number;
}

/**
 * The event loop's delay and utilisation, a reading an interval. Nothing is measured, and nothing costs, before the
 * first look nor after `stop`; the process does not live for it.
 */
export class LoopHealth {
  readonly #makeMeter: () => LoopMeter;
  #meter: LoopMeter | undefined;
  #started = false;
  #last: LoopReading | undefined;

  /** @param makeMeter called at the first look. Default: the event loop of this thread. */
  constructor(makeMeter: () => LoopMeter = systemLoopMeter) {
    this.#makeMeter = makeMeter;
  }

  /** What the last look found. */
  get last(): LoopReading | undefined {
    return this.#last;
  }

  /** What happened since the last look; the first one begins to measure, and finds nothing. */
  look(): LoopReading | undefined {
    this.#meter ??= this.#makeMeter();
    if (!this.#started) {
      this.#started = true;
      this.#meter.start();
      return undefined;
    }
    this.#last = { utilization: this.#meter.utilization(), ...this.#meter.delay() };
    return this.#last;
  }

  stop(): void {
    if (!this.#started) return;
    this.#started = false;
    this.#last = undefined;
    this.#meter?.stop();
  }
}
