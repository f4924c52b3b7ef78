import type { RecoveryContext } from './strategy.ts';

/** Whether the target is well: what most strategies are verified by. */
export function isHealthy({ circuit, health, settings }: RecoveryContext): boolean {
  return circuit === 'closed' && health.failureRate < settings.recovery.anomalyRate;
}
