import type { Scenario } from '../scenario.ts';

export const overloadX5: Scenario = {
  name: 'overload-x5',
  title: 'Overload x5',
  about: 'Five times what the upstream can do is asked of it for 10 s.',
  faultMs: 10_000,
  load: { perSecondInFault: 2_500 },
};
