import type { Scenario } from '../scenario.ts';

export const oneHostSlow: Scenario = {
  name: 'one-host-slow',
  title: 'One host of four is slow',
  about: 'One host takes 20 times as long.',
  faults: [{ kind: 'slow', factor: 20, hosts: [1] }],
};
