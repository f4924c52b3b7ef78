import { isHealthy } from '../is-healthy.ts';
import type { RecoveryStrategy } from '../strategy.ts';

const MOST_RETRIES = 10;
/** Above this share of failures repeats are mostly wasted work, and part of the load that causes them. */
const SPORADIC = 0.3;

/**
 * Level 1: fits the repeats of `run` to the failure. While failures are sporadic, one more repeat within the
 * same budget; when they are many, half the budget and longer waits.
 */
export const retry: RecoveryStrategy = {
  name: 'retry',
  level: 1,
  appliesTo: ({ kind, anomaly, circuit, settings }) =>
    kind === 'upstream' &&
    anomaly.kind === 'error-rate' &&
    circuit === 'closed' &&
    settings.retry.maxRetries > 0,
  execute({ anomaly, settings: { retry }, overlay }) {
    if (anomaly.severity <= SPORADIC) {
      overlay({ retry: { maxRetries: Math.min(MOST_RETRIES, retry.maxRetries + 1) } });
      return;
    }
    const baseDelayMs = Math.min(retry.maxDelayMs, retry.baseDelayMs * 2);
    overlay({ retry: { budget: retry.budget / 2, baseDelayMs } });
  },
  verify: isHealthy,
};
