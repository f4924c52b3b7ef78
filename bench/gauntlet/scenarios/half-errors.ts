import type { Scenario } from '../scenario.ts';

export const halfErrors: Scenario = {
  name: 'half-errors',
  title: '50 % errors',
  about: 'Every other attempt ends in a 500.',
  faults: [{ kind: 'errors', share: 0.5 }],
};
