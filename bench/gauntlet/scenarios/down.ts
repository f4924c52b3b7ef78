import type { Scenario } from '../scenario.ts';

export const down: Scenario = {
  name: 'down',
  title: 'Down for 20 s',
  about: 'All hosts refuse connections.',
  faults: [{ kind: 'down' }],
};
