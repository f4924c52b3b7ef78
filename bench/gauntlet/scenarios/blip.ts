import type { Scenario } from '../scenario.ts';

export const blip: Scenario = {
  name: 'blip',
  title: 'Blip of 300 ms',
  about: 'All hosts refuse connections for 300 ms.',
  faultMs: 300,
  faults: [{ kind: 'down' }],
};
