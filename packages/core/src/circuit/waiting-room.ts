import type { CircuitBreaker } from './breaker.ts';

/** An admission that was set aside is given back after this time, if nobody came for it. */
const HOLD_MS = 1_000;

interface Waiter {
  admitted(): void;
  sentAway(reason: unknown): void;
}

interface Held {
  readonly token: number;
  readonly until: number;
}

/** Callers that would rather wait than be refused. Each is let go with an admission set aside for it. */
export class WaitingRoom {
  readonly #breaker: CircuitBreaker;
  readonly #reserve: (held: number, now: number) => boolean;
  readonly #waiters = new Set<Waiter>();
  /** In the order in which they end. */
  readonly #held: Held[] = [];

  /** @param reserve whether there is a place beside the `held` ones, which is then taken */
  constructor(breaker: CircuitBreaker, reserve: (held: number, now: number) => boolean) {
    this.#breaker = breaker;
    this.#reserve = reserve;
  }

  get busy(): boolean {
    return this.#waiters.size > 0 || this.#held.length > 0;
  }

  /** Admissions that are set aside. */
  get reserved(): number {
    return this.#held.length;
  }

  /** Resolves when the caller's next call will be admitted; rejects with the signal's reason. */
  wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener('abort', aborted);
      };
      const waiter: Waiter = {
        admitted: () => {
          leave();
          resolve();
        },
        sentAway: (reason) => {
          leave();
          reject(reason);
        },
      };
      const aborted = () => waiter.sentAway(signal?.reason);
      signal?.addEventListener('abort', aborted);
      this.#waiters.add(waiter);
    });
  }

  /** Lets go as many as are admitted now, or all where nothing is refused any more. */
  serve(now: number, all = false): void {
    this.#giveBackUnclaimed(now);
    for (const waiter of this.#waiters) {
      if (!all) {
        const token = this.#admission(now);
        if (token === 0) return;
        this.#held.push({ token, until: now + HOLD_MS });
      }
      waiter.admitted();
    }
  }

  /** Has every caller's wait fail. */
  dismiss(reason: unknown): void {
    for (const waiter of this.#waiters) waiter.sentAway(reason);
  }

  /** An admission set aside that still holds, or 0. */
  take(now: number): number {
    for (let held = this.#held.shift(); held !== undefined; held = this.#held.shift()) {
      const { token } = held;
      if (this.#breaker.isProbe(token) || this.#breaker.tokenSince(now) === token) return token;
    }
    return 0;
  }

  #admission(now: number): number {
    const token = this.#breaker.tryAcquire(now);
    if (token === 0 || this.#reserve(this.#held.length, now)) return token;
    this.#breaker.record(token, 'ignored', 0, now);
    return 0;
  }

  #giveBackUnclaimed(now: number): void {
    for (let held = this.#held[0]; held !== undefined && held.until <= now; held = this.#held[0]) {
      this.#held.shift();
      this.#breaker.record(held.token, 'ignored', 0, now);
    }
  }
}
