import type { Scenario } from '../scenario.ts';

export const rateLimit: Scenario = {
  name: 'rate-limit',
  title: 'Rate-limited upstream',
  about: 'The upstream takes 150 requests a second; the others are answered 429 with Retry-After: 1.',
  faults: [{ kind: 'limit', perSecond: 150 }],
};
