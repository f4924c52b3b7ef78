import type { CircuitState } from '../circuit/circuit-machine.ts';
import type { RecoverySettings } from '../config/schema.ts';
import type { HealthMonitor, HealthSnapshot } from './monitor.ts';
import { shareAtLeast } from './share-bounds.ts';

/** `hang`: calls that do not end. `trend`: failures that are few still, and about to be many. */
export type AnomalyKind =
  | 'error-rate'
  | 'latency'
  | 'saturation'
  | 'throughput-drop'
  | 'hang'
  | 'trend'
  | 'host-outlier';

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
/** Fewer bad calls than this are chance, however few the calls. */
const ENOUGH = 4;

/**
 * Compares a target with fixed thresholds: an open circuit, the share of failed and of slow calls, and calls in
 * flight against the limit. A share is judged over the shortest window that is conclusive: one failure in ten
 * calls is no tenth of all calls.
 */
export function detectByThreshold(
  monitor: HealthMonitor,
  circuit: CircuitState,
  settings: RecoverySettings,
  now: number,
): Anomaly | undefined {
  if (circuit !== 'closed') {
    const { calls, failureRate, slowRate } = judgeable(monitor, settings.anomalyCalls, now);
    const kind = slowRate > failureRate ? 'latency' : 'error-rate';
    return { kind, severity: 1, evidence: { calls, failureRate, slowRate } };
  }
  const failing = tooMany(monitor, ({ failure }) => failure, settings, now);
  if (failing !== undefined) {
    const { calls, failureRate } = failing;
    return { kind: 'error-rate', severity: failureRate, evidence: { calls, failureRate } };
  }
  const dragging = tooMany(monitor, ({ slow }) => slow, settings, now);
  if (dragging !== undefined) {
    const { calls, slowRate } = dragging;
    return { kind: 'latency', severity: slowRate, evidence: { calls, slowRate } };
  }
  const { inFlight, saturation } = monitor.snapshot(now, 0);
  if (saturation < settings.saturation) return undefined;
  return { kind: 'saturation', severity: Math.min(1, saturation), evidence: { inFlight, saturation } };
}

/** The health of the window that shows it, if there are too many bad calls. */
function tooMany(
  monitor: HealthMonitor,
  bad: (health: HealthSnapshot) => number,
  { anomalyRate, anomalyCalls }: RecoverySettings,
  now: number,
): HealthSnapshot | undefined {
  let health: HealthSnapshot | undefined;
  for (const windowMs of WINDOWS_MS) {
    const longer = monitor.snapshot(now, windowMs);
    if (longer.calls < anomalyCalls) continue;
    health = longer;
    if (bad(health) / health.calls < anomalyRate / 2) return undefined;
    if (bad(health) >= ENOUGH && shareAtLeast(bad(health), health.calls) >= anomalyRate) return health;
  }
  if (health === undefined || bad(health) < ENOUGH) return undefined;
  const likely = shareAtLeast(bad(health), health.calls) >= anomalyRate / 2;
  return likely && bad(health) / health.calls >= anomalyRate ? health : undefined;
}

function judgeable(monitor: HealthMonitor, calls: number, now: number): HealthSnapshot {
  let health = monitor.snapshot(now, WINDOWS_MS[0]);
  for (const windowMs of WINDOWS_MS) {
    if (health.calls >= calls) break;
    health = monitor.snapshot(now, windowMs);
  }
  return health;
}
