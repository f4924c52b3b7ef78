import CircuitBreaker from 'opossum';
import type { Contender } from '../contender.ts';
import type { CallRequest } from '../world/call-request.ts';
import { orThrow } from './http-error.ts';

/** opossum sorts all latencies of its window at each failure for its statistics; no decision depends on it. */
const WITHOUT_STATISTICS = { rollingPercentilesEnabled: false };

function opossum(name: string, about: string, settings: CircuitBreaker.Options): Contender {
  return {
    name,
    about,
    make: (world) => {
      const action = (request: CallRequest) => orThrow(world.send(undefined, request, request.signal));
      const breaker = new CircuitBreaker(action, { ...WITHOUT_STATISTICS, ...settings });
      return (request) => breaker.fire(request);
    },
  };
}

export const opossumDocumented = opossum(
  'opossum, documented',
  "opossum 10 as its README's first example has it: timeout 3 s, 50 % errors, reset after 30 s. It does not retry.",
  { timeout: 3_000, errorThresholdPercentage: 50, resetTimeout: 30_000 },
);

export const opossumTuned = opossum(
  'opossum, tuned',
  'opossum 10 for this load: timeout 1 s, 60 % errors of at least 50 calls in 1 s, reset after 0.25 s.',
  {
    timeout: 1_000,
    errorThresholdPercentage: 60,
    rollingCountTimeout: 1_000,
    volumeThreshold: 50,
    resetTimeout: 250,
  },
);
