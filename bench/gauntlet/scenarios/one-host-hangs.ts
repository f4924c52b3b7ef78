import type { Scenario } from '../scenario.ts';

export const oneHostHangs: Scenario = {
  name: 'one-host-hangs',
  title: 'One host of four hangs',
  about: 'One host takes requests, and answers none until the fault ends.',
  faults: [{ kind: 'hang', hosts: [1] }],
};
