import type { ProfileName, TargetOptions } from './schema.ts';
import { highestUpTo } from './tier-names.ts';

/** Waiting costs a job little, and losing it much. */
const PATIENT = { maxRetries: 4, baseDelayMs: 100, maxDelayMs: 5_000, maxRetryAfterMs: 30_000 };

/**
 * The preset of a kind of component: what its settings are where nobody says anything else. Its tier is the highest
 * that there is, up to the one that the profile is meant to have.
 */
export function presetOf(profile: ProfileName): TargetOptions {
  switch (profile) {
    case 'ui':
      return { tier: highestUpTo('basic') };
    case 'api':
    case 'external':
      return { tier: highestUpTo('advanced') };
    case 'worker':
      return { tier: highestUpTo('advanced'), retry: PATIENT, recovery: { escalateAfterMs: 60_000 } };
    case 'core-service':
      return {
        tier: highestUpTo('full'),
        circuit: { failureRate: 0.7, consecutiveFailures: 10, probes: 5 },
        recovery: { escalateAfterMs: 5_000 },
      };
    case 'pipeline':
      return {
        tier: highestUpTo('full'),
        circuit: { windowMs: 30_000, minimumCalls: 50 },
        retry: PATIENT,
        recovery: { proveMs: 5_000, calmMs: 5_000, escalateAfterMs: 60_000 },
      };
  }
}
