import type { Scenario } from '../scenario.ts';

export const networkRamp: Scenario = {
  name: 'network-ramp',
  title: 'Slower network',
  about: 'A round trip takes longer and longer, up to 500 ms; the hosts are well.',
  faults: [{ kind: 'network', ms: 500, rampMs: 10_000 }],
};
