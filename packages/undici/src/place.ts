import type { Outcome, Permit, Target } from '@healix/core';
import { Timed } from '@healix/core/adapter';

/** The place that an attempt takes up at its target, and the moment at which it is to be looked at again. */
export abstract class Place extends Timed {
  readonly target: Target;
  readonly permit: Permit;
  override deadline = Number.POSITIVE_INFINITY;
  override settled = true;
  #tick = -1;
  #since = 0;
  #ticked = false;
  /** The process need not live for what is only looked at, nor to see the end of a body. */
  #idle: boolean;

  constructor(target: Target, permit: Permit) {
    super();
    this.#idle = target.observes;
    this.target = target;
    this.permit = permit;
  }

  protected wakeAt(deadline: number): void {
    const { time } = this.target;
    const endless = deadline === Number.POSITIVE_INFINITY;
    // The wheel does not look at deadlines before the next tick.
    if (endless || this.settled || this.#tick !== time.ticks) this.settle();
    this.deadline = deadline;
    if (endless || !this.settled) return;
    this.settled = false;
    this.#tick = time.ticks;
    this.#since = time.current();
    if (this.#idle) time.watch(this);
    else time.await(this);
  }

  override ticked(now: number): void {
    if (this.permit.weight === 0) this.deadline += now - this.#since;
    if (this.#ticked) return;
    this.#ticked = true;
    this.putOff(this.permit.slackMs(now));
  }

  /** What counts from the attempt's `start` is to come so much later. */
  protected abstract putOff(ms: number): void;

  /** From here on the process is not held. */
  protected idle(): void {
    this.settle();
    this.#idle = true;
  }

  protected settle(): void {
    const { time } = this.target;
    if (!this.settled) (this.#idle ? time.idleWheel : time.wheel).settle(this);
  }

  /** Gives the place back; what comes later changes nothing. */
  protected leave(outcome: Outcome): void {
    this.settle();
    if (!this.permit.released) this.target.release(this.permit, outcome);
  }

  /** Gives the place back, since the caller gave up. */
  protected abandonPlace(reason: unknown): void {
    this.settle();
    if (!this.permit.released) this.target.abandon(this.permit, reason);
  }
}
