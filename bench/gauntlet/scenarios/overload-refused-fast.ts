import type { Scenario } from '../scenario.ts';

export const overloadRefusedFast: Scenario = {
  name: 'overload-refused-fast',
  title: 'Overload, refused fast',
  about:
    'Twice what the upstream can do is asked of it; it refuses at once what it has no room for, since its queues are short.',
  load: { perSecondInFault: 1_000 },
  upstream: { queuePerHost: 10 },
};
