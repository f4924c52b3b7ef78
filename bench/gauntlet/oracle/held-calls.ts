import type { Answer } from '../world/attempt.ts';
import type { CallRequest } from '../world/call-request.ts';

/** A request that the oracle answers for. */
export interface HeldCall {
  readonly request: CallRequest;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
  /** Attempts under way. */
  running: number;
  hedged: boolean;
  settled: boolean;
}

/** Calls that wait for a server, by their deadlines. */
export class HeldCalls {
  readonly #calls: HeldCall[] = [];

  get size(): number {
    return this.#calls.length;
  }

  add(call: HeldCall): void {
    let index = this.#calls.length;
    while (index > 0 && this.#deadlineAt(index - 1) > call.request.deadlineAt) index--;
    this.#calls.splice(index, 0, call);
  }

  /** Takes out those whose time is over. */
  takeExpired(now: number): HeldCall[] {
    let expired = 0;
    while (expired < this.#calls.length && this.#deadlineAt(expired) <= now) expired++;
    return expired === 0 ? [] : this.#calls.splice(0, expired);
  }

  /**
   * Takes out the one to send next of those that are usable: the earliest deadline that is not before `sureAt`; where there
   * is none, the latest one before it.
   */
  take(sureAt: number, isUsable: (call: HeldCall) => boolean): HeldCall | undefined {
    const sure = this.#firstFrom(sureAt);
    for (let index = sure; index < this.#calls.length; index++) {
      if (isUsable(this.#calls[index] as HeldCall)) return this.#calls.splice(index, 1)[0];
    }
    for (let index = sure - 1; index >= 0; index--) {
      if (isUsable(this.#calls[index] as HeldCall)) return this.#calls.splice(index, 1)[0];
    }
    return undefined;
  }

  #firstFrom(deadlineAt: number): number {
    let low = 0;
    let high = this.#calls.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#deadlineAt(middle) < deadlineAt) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #deadlineAt(index: number): number {
    return (this.#calls[index] as HeldCall).request.deadlineAt;
  }
}
