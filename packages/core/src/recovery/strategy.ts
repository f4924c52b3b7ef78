import type { CircuitState } from '../circuit/circuit-machine.ts';
import type { TargetOptions, TargetSettings } from '../config/schema.ts';
import type { Anomaly } from '../health/anomaly.ts';
import type { HealthSnapshot } from '../health/monitor.ts';
import type { IncidentReport } from '../telemetry/incidents.ts';

/** 0 observe, 1 retry, 2 degrade, 3 limit, 4 isolate, 5 reset, 6 escalate. */
export type RecoveryLevel = 0 | 1 | 2 | 3 | 4 | 5 | 6;

/** What has gone wrong, as a strategy sees it before it is chosen. */
export interface Failure {
  readonly target: string;
  readonly kind: 'route' | 'upstream';
  readonly anomaly: Anomaly;
  readonly circuit: CircuitState;
  readonly settings: TargetSettings;
  /** Something behind the target can be reset: there is a hook for it, or connections that can be made anew. */
  readonly resettable: boolean;
}

/** What a strategy has to work with. */
export interface RecoveryContext extends Failure {
  readonly health: HealthSnapshot;
  readonly incident: IncidentReport;
  /** Changes settings of the target until the level is undone; given again, it replaces what it said. */
  overlay(options: TargetOptions): void;
  /** Resets what is behind the target. Resolves to what takes that back. */
  reset(): Promise<() => void>;
  /** What the strategy remembers of itself while it is in force, in this one incident. */
  readonly notes: Record<string, unknown>;
  /** Tells whoever is to be told of incidents that healing could not end. */
  notify(): Promise<void>;
}

/** One way to help a target. Registered once; used for every target that it applies to. */
export interface RecoveryStrategy {
  readonly name: string;
  readonly level: RecoveryLevel;
  /** Taken as soon as it applies, without waiting for the level below to have proved itself. */
  readonly immediate?: boolean;
  appliesTo(failure: Failure): boolean;
  execute(context: RecoveryContext): void | Promise<void>;
  /** Called at each look while it is in force, to fit what it does to how the target has been in the last second. */
  adjust?(context: RecoveryContext): void;
  /** Has it helped? */
  verify(context: RecoveryContext): boolean;
  /** Takes back what `execute` did. Overlays are taken back without it. */
  undo?(context: RecoveryContext): void | Promise<void>;
}
