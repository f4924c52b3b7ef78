import type { CircuitState } from '../circuit/breaker.ts';
import type { RecoverySettings } from '../config/schema.ts';
import type { HealthMonitor, HealthSnapshot } from './monitor.ts';

export type AnomalyKind = 'error-rate' | 'latency' | 'saturation';

/** Something about a target that is not as it should be. */
export interface Anomaly {
  readonly kind: AnomalyKind;
  /** 0 (hardly worth a word) to 1 (nothing works). */
  readonly severity: number;
  /** The figures that it was seen by. */
  readonly evidence: Readonly<Record<string, number>>;
}

/** Tried from the shortest, so that both a fault and its end are seen soon where there is traffic enough. */
const WINDOWS_MS = [1_000, 2_000, 5_000, 10_000];

/**
 * Compares a target with fixed thresholds: an open circuit, the share of failed and of slow calls over the
 * shortest window that has enough calls, and calls in flight against the limit.
 */
export function detectByThreshold(
  monitor: HealthMonitor,
  circuit: CircuitState,
  settings: RecoverySettings,
  now: number,
): Anomaly | undefined {
  const health = judgeable(monitor, settings.anomalyCalls, now);
  const { calls, failureRate, slowRate, saturation, inFlight } = health;
  if (circuit !== 'closed') {
    const kind = slowRate > failureRate ? 'latency' : 'error-rate';
    return { kind, severity: 1, evidence: { calls, failureRate, slowRate } };
  }
  const enough = calls >= settings.anomalyCalls;
  if (enough && failureRate >= settings.anomalyRate) {
    return { kind: 'error-rate', severity: failureRate, evidence: { calls, failureRate } };
  }
  if (enough && slowRate >= settings.anomalyRate) {
    return { kind: 'latency', severity: slowRate, evidence: { calls, slowRate } };
  }
  if (saturation >= settings.saturation) {
    return { kind: 'saturation', severity: Math.min(1, saturation), evidence: { inFlight, saturation } };
  }
  return undefined;
}

function judgeable(monitor: HealthMonitor, calls: number, now: number): HealthSnapshot {
  let health = monitor.snapshot(now, WINDOWS_MS[0]);
  for (const windowMs of WINDOWS_MS) {
    if (health.calls >= calls) break;
    health = monitor.snapshot(now, windowMs);
  }
  return health;
}
