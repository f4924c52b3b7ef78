import {
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleAll,
  retry,
  SamplingBreaker,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';
import type { Contender } from '../contender.ts';
import { orThrow } from './http-error.ts';

export const cockatielDocumented: Contender = {
  name: 'cockatiel, documented',
  about:
    "cockatiel 4 as its README's first example and its section on timeouts have it: 3 retries of everything with exponential backoff, around a breaker of 5 failures in a row that tries again after 10 s, around a timeout of 2 s.",
  make: (world) => {
    const policy = wrap(
      retry(handleAll, { maxAttempts: 3, backoff: new ExponentialBackoff() }),
      circuitBreaker(handleAll, { halfOpenAfter: 10 * 1_000, breaker: new ConsecutiveBreaker(5) }),
      timeout(2_000, TimeoutStrategy.Aggressive),
    );
    return (request) =>
      policy.execute(({ signal }) => orThrow(world.send(undefined, request, signal)), request.signal);
  },
};

export const cockatielTuned: Contender = {
  name: 'cockatiel, tuned',
  about:
    'cockatiel 4 for this load: 2 retries of what is idempotent after 25 to 250 ms, around a breaker of 80 % failures in 5 s that tries 5 calls after 0.5 s, around a timeout of 1 s.',
  make: (world) => {
    const breaker = circuitBreaker(handleAll, {
      halfOpenAfter: 500,
      breaker: new SamplingBreaker({ threshold: 0.8, duration: 5_000, minimumRps: 10 }),
      halfOpenSampling: { calls: 5, threshold: 0.5 },
    });
    const attempt = wrap(breaker, timeout(1_000, TimeoutStrategy.Aggressive));
    const backoff = new ExponentialBackoff({ initialDelay: 25, maxDelay: 250 });
    const repeated = wrap(retry(handleAll, { maxAttempts: 2, backoff }), attempt);
    return (request) => {
      const policy = request.idempotent ? repeated : attempt;
      return policy.execute(({ signal }) => orThrow(world.send(undefined, request, signal)), request.signal);
    };
  },
};
