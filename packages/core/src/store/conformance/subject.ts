import type { Store } from '../store.ts';

/** What a store is tried by. */
export interface StoreSubject {
  /** A store that is not opened yet. All stores that it makes reach the same server, or the same memory. */
  makeStore(): Store | Promise<Store>;
  /** Moves the clock by which the store judges. Else it stands still: bounds are tried to the millisecond. */
  advance(ms: number): void | Promise<void>;
  /** Turns that clock back. Left out where the store's clock cannot go back. */
  turnBack?(ms: number): void | Promise<void>;
  /** From now on another server is in charge, for stores that are made afterwards. Left out where there is but one. */
  failOver?(): void | Promise<void>;
}

/** One rule that every store keeps. */
export interface StoreCase {
  readonly name: string;
  /** What of the subject it cannot do without: skip it where the subject has none. */
  readonly needs: 'turnBack' | 'failOver' | undefined;
  /** Rejects with an AssertionError where the store breaks the rule. */
  run(subject: StoreSubject): Promise<void>;
}
