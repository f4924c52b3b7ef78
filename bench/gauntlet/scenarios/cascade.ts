import type { Scenario } from '../scenario.ts';

export const cascade: Scenario = {
  name: 'cascade',
  title: 'Three-service cascade',
  about:
    'The service that is called asks another one for 30 % of its requests, and holds a server while it waits; the other one hangs.',
  upstream: { serversPerHost: 20 },
  behind: { routes: [0], faults: [{ kind: 'hang' }] },
};
