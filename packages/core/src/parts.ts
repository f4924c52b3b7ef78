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
  PolicyOptions,
  RateOptions,
  RetryBudgetOptions,
} from './config/schema.ts';
export { type Anomaly, detectByThreshold } from './health/anomaly.ts';
export { type CallCause, CallGraph, type CallGraphOptions } from './health/call-graph.ts';
export { LatencyHistogram } from './health/histogram.ts';
export { HealthMonitor, type HealthSnapshot } from './health/monitor.ts';
export { RateLimiter } from './limits/rate-limiter.ts';
export { RetryBudget } from './limits/retry-budget.ts';
export { type Operation, PolicyEnforcer, type PolicyVerdict } from './policy/enforcer.ts';
export { RecoveryManager } from './recovery/manager.ts';
export { RecoveryRegistry } from './recovery/registry.ts';
export type { Failure, RecoveryContext, RecoveryLevel, RecoveryStrategy } from './recovery/strategy.ts';
export { IncidentLog } from './telemetry/incidents.ts';
export { type Clock, systemClock, type Timer } from './time/clock.ts';
export { type Random, seededRandom, systemRandom } from './time/random.ts';
