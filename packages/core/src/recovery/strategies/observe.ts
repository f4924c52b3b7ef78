import { isHealthy } from '../is-healthy.ts';
import type { RecoveryStrategy } from '../strategy.ts';

/** Level 0: looks on. Most trouble passes by itself, and what is seen now is evidence later. */
export const observe: RecoveryStrategy = {
  name: 'observe',
  level: 0,
  appliesTo: () => true,
  execute() {},
  verify: isHealthy,
};
