export type { CircuitState, CircuitTransition } from './circuit/circuit-machine.ts';
export type {
  CircuitOptions,
  Classify,
  ForcedState,
  Outcome,
  OutlierOptions,
  PolicyOptions,
  Priority,
  ProfileName,
  RateOptions,
  RecoveryOptions,
  ResetCause,
  ResetHook,
  RetryOptions,
  TargetOptions,
  TargetSettings,
  TargetUpdate,
} from './config/schema.ts';
export type { SettingsAuthor, SettingsChange } from './config/settings-history.ts';
export type { TierName } from './config/tier-names.ts';
export {
  CircuitOpenError,
  ClosedError,
  ConfigError,
  DeadlineError,
  findHealixError,
  HealixError,
  type HealixErrorCode,
  type HealixErrorDetails,
  isHealixError,
  OverloadError,
  PolicyError,
  RateLimitError,
  StoreError,
  type StoreErrorReason,
} from './errors.ts';
export type { FleetStatus } from './fleet/fleet.ts';
export type { CloseOptions, Healing, HealingOptions, RuntimeStatus, WrapOptions } from './healing.ts';
export type { Anomaly, AnomalyKind } from './health/anomaly.ts';
export type { HealthSnapshot } from './health/monitor.ts';
export type { HealthLevel, HealthStatus } from './health/status.ts';
export type { HostState, HostStatus } from './hosts/host.ts';
export type { OutlierFinding, OutlierReason } from './hosts/outlier-detector.ts';
export type { Mode } from './ledger.ts';
export type { Permit, Rejection, RejectionReason } from './permit.ts';
export type { Operation } from './policy/enforcer.ts';
export type { StaleOptions } from './recovery/stale-answers.ts';
export type { Failure, RecoveryContext, RecoveryLevel, RecoveryStrategy } from './recovery/strategy.ts';
export type { AttemptContext, RunOptions } from './run-options.ts';
export type {
  AnomalyDetectionResult,
  HealingContext,
  HealingResponse,
  HealingResult,
  RecoveryStatus,
  SelfHealing,
} from './self-healing.ts';
export { createHealing, defaultHealing } from './shared-runtime.ts';
export { FleetMemory } from './store/memory/fleet-memory.ts';
export { MemoryStore } from './store/memory/memory-store.ts';
export type { RedisClient } from './store/redis/client.ts';
export type { RedisStoreOptions } from './store/redis/keys.ts';
export { redisStore } from './store/redis/redis-store.ts';
export type { FleetView, Store } from './store/store.ts';
export type { DecisionOptions, ForceResult, Target, TargetHistory } from './target.ts';
export type { TargetCounts, TargetStatus, WouldHave } from './target-status.ts';
export type { CallbackErrorReport } from './telemetry/callback-errors.ts';
export type { CoverageReport } from './telemetry/coverage.ts';
export type {
  FleetEvent,
  HealingEventName,
  HealingEvents,
  HostEvent,
  IncidentEvent,
  RecoveredEvent,
  SettingsEvent,
  StoreEvent,
  TransitionEvent,
} from './telemetry/events.ts';
export type { IncidentEntry, IncidentQuery, IncidentReport, IncidentStatus } from './telemetry/incidents.ts';
export type { HealingParts } from './tiers/basic.ts';
export {
  createSelfHealing,
  type MakeTier,
  type OwnParts,
  type RegisterTierOptions,
  registerTier,
} from './tiers/create.ts';
export type { TierReport } from './tiers/usage.ts';
export type { Clock, Timer } from './time/clock.ts';
export type { Random } from './time/random.ts';
