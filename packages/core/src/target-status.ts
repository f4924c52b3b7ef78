import type { CircuitBreaker } from './circuit/breaker.ts';
import type { CircuitState } from './circuit/circuit-machine.ts';
import type { ForcedState, TargetSettings } from './config/schema.ts';
import type { HealthMonitor } from './health/monitor.ts';
import type { HealthStatus } from './health/status.ts';
import type { HostStatus } from './hosts/host.ts';
import type { CoarseTime } from './time/coarse-time.ts';

/**
 * What observe mode would have done: calls that it would have refused, by what they really came to; those that
 * it would have cut short, repeated, or answered with a fallback or a stale answer. What would have come of a repeat
 * nobody knows: a call counts once as `repeated`, for its first repeat, and as `replaced` as if the repeats had failed.
 */
export type WouldHave = Record<
  'success' | 'failure' | 'overload' | 'ignored' | 'timedOut' | 'repeated' | 'replaced',
  number
>;

/** How one target is doing. Rates and latencies are of the last 10 s or so. */
export interface TargetStatus extends HealthStatus {
  readonly target: string;
  readonly tier: string;
  readonly state: CircuitState;
  readonly forced: ForcedState;
  /** Ms until an open circuit is tried again. */
  readonly retryAfterMs: number;
  /** Share of the traffic that is let in while a circuit that has just closed ramps up; else 1, or 0 while open. */
  readonly admittedShare: number;
  readonly inFlight: number;
  /** The most calls that may be in flight, where there is a limit. */
  readonly limit: number | undefined;
  /** Longest time of one attempt in ms, where there is a limit. */
  readonly timeoutMs: number | undefined;
  /** Calls a second, without ignored ones. */
  readonly callsPerSecond: number;
  readonly failureRate: number;
  readonly slowRate: number;
  /** Ms; undefined while nothing was timed. */
  readonly p50: number | undefined;
  readonly p95: number | undefined;
  readonly p99: number | undefined;
  /** Since the target was made. */
  readonly counts: TargetCounts;
  /** Observe mode: what would have been done with calls. */
  readonly wouldHave: Readonly<WouldHave> | undefined;
  /** The last values of its own signals. */
  readonly signals: Readonly<Record<string, number>>;
  readonly lastTransition: { from: CircuitState; to: CircuitState; reason: string; at: number } | undefined;
  readonly incidentId: string | undefined;
  readonly settingsVersion: number;
  /** Undefined where the target has no `hosts` of its own. */
  readonly hosts: readonly HostStatus[] | undefined;
}

export interface TargetCounts {
  readonly success: number;
  readonly failure: number;
  readonly overload: number;
  readonly ignored: number;
  readonly slow: number;
  readonly refused: number;
  readonly retries: number;
  readonly fallbacks: number;
  readonly staleAnswers: number;
}

/** What a status is read from. */
export interface StatusSource {
  readonly name: string;
  readonly time: CoarseTime;
  readonly breaker: CircuitBreaker;
  readonly monitor: HealthMonitor;
  readonly settings: TargetSettings;
  readonly counts: Pick<TargetCounts, 'retries' | 'fallbacks' | 'staleAnswers'>;
  readonly wouldHave: Readonly<WouldHave> | undefined;
  readonly lastTransition: TargetStatus['lastTransition'];
  readonly incidentId: string | undefined;
  readonly settingsVersion: number;
  readonly hosts: { status(now: number): HostStatus[] } | undefined;
}

export function targetStatus(target: StatusSource, health: HealthStatus): TargetStatus {
  const now = target.time.read();
  const { breaker, monitor, settings, counts, incidentId } = target;
  const recent = monitor.snapshot(now);
  const { success, failure, overload, ignored, slow, refused } = monitor;
  const { retries, fallbacks, staleAnswers } = counts;
  const { lastTransition } = target;
  return {
    target: target.name,
    status: health.status,
    reasons: health.reasons,
    tier: settings.tier,
    state: breaker.stateAt(now),
    forced: breaker.forced,
    retryAfterMs: breaker.retryAfterMs(now),
    admittedShare: breaker.admittedShare(now),
    inFlight: monitor.inFlight,
    limit: settings.policy.concurrency,
    timeoutMs: settings.timeoutMs,
    callsPerSecond: recent.overMs === 0 ? 0 : (recent.calls / recent.overMs) * 1_000,
    failureRate: recent.failureRate,
    slowRate: recent.slowRate,
    p50: recent.p50,
    p95: recent.p95,
    p99: recent.p99,
    counts: { success, failure, overload, ignored, slow, refused, retries, fallbacks, staleAnswers },
    wouldHave: target.wouldHave,
    signals: monitor.signals,
    lastTransition,
    incidentId,
    settingsVersion: target.settingsVersion,
    hosts: target.hosts?.status(now),
  };
}
