import type { Scenario } from '../scenario.ts';

export const hang: Scenario = {
  name: 'hang',
  title: 'Hang of 20 s',
  about: 'All hosts take requests, and answer none until the fault ends; then they work off what they have.',
  faults: [{ kind: 'hang' }],
};
