/** What the recent calls of a circuit amount to. `slow` and `failures` may count the same call. */
export interface CallWindow {
  readonly calls: number;
  readonly failures: number;
  readonly slow: number;
  add(now: number, failed: boolean, slow: boolean): void;
  /** Forgets what has left the window by `now`. */
  expire(now: number): void;
  clear(): void;
}
