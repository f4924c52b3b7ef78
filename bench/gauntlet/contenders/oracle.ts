import type { Contender } from '../contender.ts';
import { Scheduler } from '../oracle/scheduler.ts';

export const oracle: Contender = {
  name: 'oracle',
  about:
    "Knows the hosts' state and all faults to come, though not the luck of an attempt. It holds requests until a free server can answer them in time, chooses the host, and repeats what is idempotent; it maximises good answers, and nothing else.",
  make: (world) => {
    const scheduler = new Scheduler(world);
    return (request) => scheduler.call(request);
  },
};
