import type { CircuitState } from './circuit/circuit-machine.ts';
import type { TargetSettings } from './config/schema.ts';
import type { Anomaly } from './health/anomaly.ts';
import type { HealthSnapshot } from './health/monitor.ts';
import type { HealthStatus } from './health/status.ts';
import type { RecoveryLevel } from './recovery/strategy.ts';
import type { IncidentReport } from './telemetry/incidents.ts';

/** How a target stands at one moment: what the control loop hands to a tier. */
export interface HealingContext {
  readonly target: string;
  /** Monotonic ms. */
  readonly now: number;
  readonly circuit: CircuitState;
  readonly health: HealthSnapshot;
  readonly settings: TargetSettings;
}

export interface AnomalyDetectionResult {
  readonly detected: boolean;
  readonly anomaly: Anomaly | undefined;
}

/** What is to be done about an anomaly. */
export interface HealingResponse {
  readonly anomaly: Anomaly;
  /** The recovery strategy's name; undefined: nothing further for now. */
  readonly strategy: string | undefined;
  readonly level: RecoveryLevel;
}

export interface HealingResult {
  readonly applied: boolean;
  readonly response: HealingResponse;
  /** What the strategy threw. */
  readonly error?: unknown;
}

export interface RecoveryStatus {
  /** Healthy for long enough; all that was done has been undone. */
  readonly recovered: boolean;
  /** Healthy at this moment. */
  readonly healthy: boolean;
  /** The level in force, or undefined when there is none. */
  readonly level: RecoveryLevel | undefined;
}

/**
 * The one face of every tier, one instance a target: monitor, analyse, plan, execute, know (the MAPE-K loop,
 * Kephart and Chess, "The Vision of Autonomic Computing", 2003). The control loop calls it; the request path
 * never does.
 */
export interface SelfHealing {
  /** Is something wrong with the target? */
  detectAnomaly(context: HealingContext): AnomalyDetectionResult;
  /** The next thing to do about it, given all that has been done. */
  selectResponse(anomaly: Anomaly): HealingResponse;
  /** Does it. Never rejects: a strategy that throws is a result with `applied: false`. */
  applyResponse(response: HealingResponse): Promise<HealingResult>;
  /** Is the target healthy again, and has it been for long enough? If so, takes back what was done. */
  verifyRecovery(context: HealingContext): RecoveryStatus;
  /** Keeps what an ended incident teaches. */
  learnFromIncident(incident: IncidentReport): void;
  getHealthStatus(): HealthStatus;
  /** Another tier takes over: takes back what this one has done. What it has learned stays, in the parts. */
  stepDown?(): void;
}
