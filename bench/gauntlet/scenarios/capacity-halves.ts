import type { Scenario } from '../scenario.ts';

export const capacityHalves: Scenario = {
  name: 'capacity-halves',
  title: 'Capacity halves',
  about: 'All hosts take twice as long while the load is 400 requests a second, so that they can do 250.',
  load: { perSecond: 400 },
  faults: [{ kind: 'slow', factor: 2 }],
};
