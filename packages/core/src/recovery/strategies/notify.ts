import { isHealthy } from '../is-healthy.ts';
import type { RecoveryStrategy } from '../strategy.ts';

/** Level 6: tells a person, through the runtime's `notify` and the incident event, once an incident has lasted. */
export const notify: RecoveryStrategy = {
  name: 'notify',
  level: 6,
  appliesTo: () => true,
  execute: ({ notify }) => notify(),
  verify: isHealthy,
};
