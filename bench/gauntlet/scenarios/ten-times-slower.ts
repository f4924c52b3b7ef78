import type { Scenario } from '../scenario.ts';

export const tenTimesSlower: Scenario = {
  name: 'ten-times-slower',
  title: 'Ten times slower',
  about: 'All hosts take ten times as long: they can do 50 requests a second.',
  faults: [{ kind: 'slow', factor: 10 }],
};
