import type { CircuitSettings } from '../config/schema.ts';

/** What a trip rule judges by. */
export interface TripEvidence {
  /** Calls, failures and slow calls in the window. */
  readonly calls: number;
  readonly failures: number;
  readonly slow: number;
  /** Failures since the last success. */
  readonly streak: number;
  /** Ms from the `consecutiveFailures`-th last failure of the streak until now. */
  readonly streakMs: number;
}

/** Decides, after a failed or slow call, whether a closed circuit opens. */
export interface TripRule {
  readonly name: string;
  trips(evidence: TripEvidence, settings: CircuitSettings): boolean;
}
