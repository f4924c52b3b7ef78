import type { TripRule } from './trip-rule.ts';
import { consecutiveFailures } from './trip-rules/consecutive-failures.ts';
import { failureRate } from './trip-rules/failure-rate.ts';
import { slowCallRate } from './trip-rules/slow-call-rate.ts';

/** Every rule that may open a circuit, in the order in which they are asked. */
export const tripRules: readonly TripRule[] = [failureRate, slowCallRate, consecutiveFailures];
