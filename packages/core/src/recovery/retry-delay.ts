import type { RetrySettings } from '../config/schema.ts';
import type { Random } from '../time/random.ts';

/**
 * Ms to wait before repeat number `repeat`: at random up to a bound that doubles ("full jitter", Brooker,
 * AWS Architecture Blog, 2015), and so long after the other side's Retry-After. Undefined when that is longer
 * than is waited for.
 */
export function retryDelayMs(
  settings: RetrySettings,
  repeat: number,
  retryAfterMs: number,
  random: Random,
): number | undefined {
  if (retryAfterMs > settings.maxRetryAfterMs) return undefined;
  const bound = Math.min(settings.maxDelayMs, settings.baseDelayMs * 2 ** (repeat - 1));
  return retryAfterMs + random.next() * bound;
}
