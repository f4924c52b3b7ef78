import type { Scenario } from '../scenario.ts';

export const overloadX2: Scenario = {
  name: 'overload-x2',
  title: 'Overload x2 with user retries',
  about:
    'Twice what the upstream can do is asked of it for 10 s, and users whose request failed ask again, up to three times.',
  faultMs: 10_000,
  load: { perSecondInFault: 1_000, userRetries: true },
};
