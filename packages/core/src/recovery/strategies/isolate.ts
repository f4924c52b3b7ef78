import type { RecoveryStrategy } from '../strategy.ts';

/** Level 4: the circuit is open. The breaker did that by itself, in the call that tripped it; here it is booked. */
export const isolate: RecoveryStrategy = {
  name: 'isolate',
  level: 4,
  immediate: true,
  appliesTo: ({ circuit }) => circuit !== 'closed',
  execute() {},
  verify: ({ circuit }) => circuit === 'closed',
};
