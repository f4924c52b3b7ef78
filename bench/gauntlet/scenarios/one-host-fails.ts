import type { Scenario } from '../scenario.ts';

export const oneHostFails: Scenario = {
  name: 'one-host-fails',
  title: 'One host of four fails',
  about: 'One host answers every request with a 500.',
  faults: [{ kind: 'errors', share: 1, hosts: [1] }],
};
