import type { Scenario } from '../scenario.ts';

export const drift: Scenario = {
  name: 'drift',
  title: 'Diurnal drift',
  about:
    'The load swings between 100 and 400 requests a second, and the network between 0 and 100 ms: nothing is wrong.',
  faultMs: 40_000,
  load: { swing: { share: 0.6, periodMs: 40_000 } },
  faults: [{ kind: 'network', ms: 100, rampMs: 40_000 }],
};
