/** The parts of healix, each usable without a runtime. */
export { CircuitBreaker, type CircuitSnapshot } from './circuit/breaker.ts';
export type { BreakerEnvironment, CircuitState, CircuitTransition } from './circuit/circuit-machine.ts';
export type { TripEvidence, TripRule } from './circuit/trip-rule.ts';
export { tripRules } from './circuit/trip-rules.ts';
export type {
  CircuitOptions,
  CircuitSettings,
  ForcedState,
  Outcome,
  OutlierOptions,
  PolicyOptions,
  Priority,
  RateOptions,
  RetryBudgetOptions,
} from './config/schema.ts';
export { type Anomaly, type AnomalyKind, detectByThreshold } from './health/anomaly.ts';
export { AnomalyDetector, type AnomalyOptions } from './health/anomaly-detector.ts';
export { type CallCause, CallGraph, type CallGraphOptions } from './health/call-graph.ts';
export { type Change, ChangeDetector, type ChangeOptions } from './health/change-detector.ts';
export { Ewma } from './health/ewma.ts';
export { FailurePredictor, type PredictorOptions } from './health/failure-predictor.ts';
export type { HealthSample } from './health/health-sample.ts';
export { HealthSampler } from './health/health-sampler.ts';
export { LatencyHistogram, LatencyMark } from './health/histogram.ts';
export { InFlightAges } from './health/in-flight-ages.ts';
export { LoopHealth, type LoopReading } from './health/loop-health.ts';
export { HealthMonitor, type HealthSnapshot } from './health/monitor.ts';
export type { Host, HostState, HostStatus } from './hosts/host.ts';
export type { HostCall } from './hosts/host-call.ts';
export { type HostMove, HostSet, type HostSetEnvironment } from './hosts/host-set.ts';
export {
  type HangFigures,
  OutlierDetector,
  type OutlierFinding,
  type OutlierReason,
} from './hosts/outlier-detector.ts';
export { AdaptiveThrottle, type AdaptiveThrottleOptions } from './limits/adaptive-throttle.ts';
export { AdaptiveTimeout, type AdaptiveTimeoutOptions } from './limits/adaptive-timeout.ts';
export { ConcurrencyLimiter, type ConcurrencyLimiterOptions } from './limits/concurrency-limiter.ts';
export { type HedgeOptions, Hedging } from './limits/hedging.ts';
export { type Held, HoldRoom, type HoldRoomOptions } from './limits/hold-room.ts';
export { PriorityShedder, type PriorityShedderOptions } from './limits/priority-shedder.ts';
export { RateLimiter } from './limits/rate-limiter.ts';
export { RetryBudget } from './limits/retry-budget.ts';
export { RetryHeadroom } from './limits/retry-headroom.ts';
export { type Operation, PolicyEnforcer, type PolicyVerdict } from './policy/enforcer.ts';
export { StrategyEffects } from './recovery/effects.ts';
export { RecoveryManager } from './recovery/manager.ts';
export { RecoveryRegistry } from './recovery/registry.ts';
export type { Failure, RecoveryContext, RecoveryLevel, RecoveryStrategy } from './recovery/strategy.ts';
export { IncidentLog } from './telemetry/incidents.ts';
export { type Clock, systemClock, type Timer } from './time/clock.ts';
export { LoopBudget, type LoopBudgetOptions, type LoopLevel } from './time/loop-budget.ts';
export type { LoopDelay, LoopMeter } from './time/loop-meter.ts';
export { type Random, seededRandom, systemRandom } from './time/random.ts';
