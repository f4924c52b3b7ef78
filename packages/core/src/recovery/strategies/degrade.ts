import { isHealthy } from '../is-healthy.ts';
import type { RecoveryStrategy } from '../strategy.ts';

/**
 * Level 2: callers that brought a fallback get it at the first failure. Their answer comes sooner, and the
 * other side is spared the repeats.
 */
export const degrade: RecoveryStrategy = {
  name: 'degrade',
  level: 2,
  appliesTo: ({ kind, anomaly }) => kind === 'upstream' && anomaly.kind !== 'saturation',
  execute({ overlay }) {
    overlay({ recovery: { preferFallback: true } });
  },
  verify: isHealthy,
};
