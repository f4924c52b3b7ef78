/** What came of a target's calls in one interval of the control loop. */
export interface HealthSample {
  /** Calls that ended, without those that say nothing. */
  readonly calls: number;
  readonly failures: number;
  /** Refused by the other side for overload: counted in `calls`, not in `failures`. */
  readonly overloads: number;
  /** Calls that ended and took too long. */
  readonly slow: number;
  /** Calls in flight now that have taken too long already. */
  readonly hanging: number;
  /** Calls in flight now. */
  readonly inFlight: number;
  /** Calls that were refused here: they are wanted, though not made. Default: 0. */
  readonly refused?: number;
  /** Median latency of the interval in ms; undefined where nothing was timed. */
  readonly p50: number | undefined;
  readonly p95: number | undefined;
}
