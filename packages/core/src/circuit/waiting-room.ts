import type { CircuitBreaker } from './breaker.ts';

/** An admission that was set aside is given back after this time, if nobody came for it. */
const HOLD_MS = 1_000;

interface Waiter {
  admitted(): void;
}

interface Held {
  readonly token: number;
  readonly until: number;
}

/** Callers that would rather wait than be refused. Each is let go with an admission set aside for it. */
export class WaitingRoom {
  readonly #breaker: CircuitBreaker;
  readonly #waiters = new Set<Waiter>();
  #held: Held[] = [];

  constructor(breaker: CircuitBreaker) {
    this.#breaker = breaker;
  }

  get busy(): boolean {
    return this.#waiters.size > 0 || this.#held.length > 0;
  }

  /** Resolves when the caller's next call will be admitted; rejects with the signal's reason. */
  wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener('abort', aborted);
      };
      const aborted = () => {
        leave();
        reject(signal?.reason);
      };
      const waiter: Waiter = {
        admitted: () => {
          leave();
          resolve();
        },
      };
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      signal?.addEventListener('abort', aborted);
      this.#waiters.add(waiter);
    });
  }

  /** Lets go as many as the breaker admits now. */
  serve(now: number): void {
    for (const waiter of [...this.#waiters]) {
      const token = this.#breaker.tryAcquire(now);
      if (token === 0) break;
      this.#held.push({ token, until: now + HOLD_MS });
      waiter.admitted();
    }
    for (const held of this.#held) if (held.until <= now) this.#breaker.record(held.token, 'ignored', 0, now);
    this.#held = this.#held.filter((held) => held.until > now);
  }

  /** An admission set aside, or 0. */
  take(): number {
    return this.#held.shift()?.token ?? 0;
  }
}
