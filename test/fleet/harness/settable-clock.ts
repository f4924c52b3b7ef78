import { VirtualClock } from '../../../packages/core/src/time/virtual-clock.ts';

/** Virtual time that can go back. Its timers do not. */
export class SettableClock extends VirtualClock {
  #behindMs = 0;

  override now(): number {
    return super.now() - this.#behindMs;
  }

  turnBack(ms: number): void {
    this.#behindMs += ms;
  }
}
