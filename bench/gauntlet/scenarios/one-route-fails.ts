import type { Scenario } from '../scenario.ts';

export const oneRouteFails: Scenario = {
  name: 'one-route-fails',
  title: 'One route of many fails',
  about: 'One route, with 30 % of the requests, is answered with a 500 every time.',
  faults: [{ kind: 'errors', share: 1, routes: [0] }],
};
