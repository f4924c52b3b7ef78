import { isHealthy } from '../is-healthy.ts';
import type { RecoveryStrategy } from '../strategy.ts';

/**
 * Level 5: brings what is behind the target back to a known state, by the user's hook (`recovery.reset`), and by making
 * its connections anew where the adapter can. What lives on a bad connection, such as a balancer's choice of a bad
 * host, goes with it.
 */
export const reset: RecoveryStrategy = {
  name: 'reset',
  level: 5,
  appliesTo: ({ resettable, settings }) =>
    resettable && (settings.tier !== 'basic' || settings.recovery.reset !== undefined),
  async execute({ reset, notes }) {
    const takeBack = await reset();
    if (notes.over) takeBack();
    else notes.takeBack = takeBack;
  },
  verify: isHealthy,
  undo({ notes }) {
    notes.over = true;
    (notes.takeBack as (() => void) | undefined)?.();
  },
};
