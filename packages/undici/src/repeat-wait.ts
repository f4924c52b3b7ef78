import { Timed } from '@healix/core/adapter';

/** Who waits between two attempts. */
export interface Waiting {
  /** The wait is over. */
  next(now: number): void;
  /** The caller's signal has aborted. */
  giveUp(reason: Error): void;
}

/** The wait between two attempts. */
export class RepeatWait extends Timed {
  readonly #call: Waiting;
  readonly #signal: AbortSignal | undefined;

  /** @param signal the caller's own, since it cannot abort what is not under way */
  constructor(call: Waiting, deadline: number, signal: AbortSignal | undefined) {
    super();
    this.#call = call;
    this.deadline = deadline;
    this.#signal = signal;
    signal?.addEventListener('abort', this);
  }

  expire(now: number): void {
    this.end();
    this.#call.next(now);
  }

  handleEvent(): void {
    this.#call.giveUp(this.#signal?.reason);
  }

  end(): void {
    this.#signal?.removeEventListener('abort', this);
  }
}
