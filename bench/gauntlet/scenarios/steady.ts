import type { Scenario } from '../scenario.ts';

export const steady: Scenario = {
  name: 'steady',
  title: 'Steady at 80 % load',
  about: 'Nothing is wrong; the upstream has much to do.',
  load: { perSecond: 400 },
};
