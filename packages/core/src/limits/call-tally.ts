import type { Outcome } from '../config/schema.ts';

/** What calls came to since a moment. */
export class CallTally {
  since = Number.NaN;
  inFlightThen = 0;
  /** All that have ended. */
  ended = 0;
  good = 0;
  goodMs = 0;
  /** Those that nobody waited for any longer. */
  gaveUp = 0;
  gaveUpMs = 0;
  /** Calls that were not let in. */
  refused = 0;

  /** @param patienceMs from how long on a call without a good answer counts as given up; NaN: none does */
  add(latencyMs: number, outcome: Outcome, patienceMs: number): void {
    this.ended++;
    if (outcome === 'success') {
      this.good++;
      this.goodMs += latencyMs;
    } else if (outcome !== 'overload' && latencyMs > patienceMs) {
      this.gaveUp++;
      this.gaveUpMs += latencyMs;
    }
  }

  /** Mean latency of the good ones in ms; NaN where there are none. */
  get meanMs(): number {
    return this.goodMs / this.good;
  }

  restart(now: number, inFlight: number): void {
    this.since = now;
    this.inFlightThen = inFlight;
    this.ended = 0;
    this.good = 0;
    this.goodMs = 0;
    this.gaveUp = 0;
    this.gaveUpMs = 0;
    this.refused = 0;
  }
}
