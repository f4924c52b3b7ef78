import type { Scenario } from '../scenario.ts';

export const stampede: Scenario = {
  name: 'stampede',
  title: 'Stampede after an outage',
  about:
    'All hosts are down for 10 s; then 1,000 users who had waited come within 2 s while the caches are cold: all takes three times as long at first.',
  faultMs: 10_000,
  load: { returning: { requests: 1_000, overMs: 2_000 }, userRetries: true },
  faults: [{ kind: 'down' }, { kind: 'cold', fromMs: 10_000, toMs: 40_000, factor: 3, halfLifeMs: 1_500 }],
};
