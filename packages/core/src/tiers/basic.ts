import type { CircuitBreaker } from '../circuit/breaker.ts';
import type { RecoverySettings, TargetOptions, TargetSettings } from '../config/schema.ts';
import { type Anomaly, detectByThreshold } from '../health/anomaly.ts';
import type { HealthMonitor } from '../health/monitor.ts';
import type { HealthStatus } from '../health/status.ts';
import type { Connections } from '../recovery/connections.ts';
import type { StrategyEffects } from '../recovery/effects.ts';
import { RecoveryManager } from '../recovery/manager.ts';
import type { RecoveryRegistry } from '../recovery/registry.ts';
import { isolate } from '../recovery/strategies/isolate.ts';
import type { Failure, RecoveryContext, RecoveryStrategy } from '../recovery/strategy.ts';
import type {
  AnomalyDetectionResult,
  HealingContext,
  HealingResponse,
  HealingResult,
  RecoveryStatus,
  SelfHealing,
} from '../self-healing.ts';
import type { Incident, IncidentEntry, IncidentLog, IncidentReport } from '../telemetry/incidents.ts';
import type { Clock } from '../time/clock.ts';

/** The upstream behind a route's trouble. */
export interface RootCause {
  readonly upstream: string;
  /** Share of the route's bad requests that were bad because of it. */
  readonly share: number;
  /** Whether something is wrong with it now. */
  readonly isUnwell: boolean;
}

/** What a tier is built from. A runtime brings its own; alone, these are all it takes. */
export interface HealingParts {
  /** The name of what is healed. */
  readonly name: string;
  readonly kind: 'route' | 'upstream';
  readonly breaker: CircuitBreaker;
  readonly monitor: HealthMonitor;
  readonly registry: RecoveryRegistry;
  readonly incidents: IncidentLog;
  /** What is known of the strategies here. */
  readonly effects: StrategyEffects;
  readonly clock: Clock;
  /** What is wrong with the target's hosts, where it has several. */
  outlier?(): Anomaly | undefined;
  /** Lays options over the target's settings under a key, or takes them back. */
  overlay?(key: string, options: TargetOptions | undefined): void;
  readonly connections?: Connections;
  /** Observe mode: what is decided is written down, and not done. */
  readonly observes?: boolean;
  /** What is behind the trouble of a route, where it comes of something that it calls. */
  causeOf?(now: number): RootCause | undefined;
  /** Tells a person of an incident. */
  notify?(incident: IncidentReport): void | Promise<void>;
  onStrategyError?(strategy: RecoveryStrategy, error: unknown): void;
  onIncidentEntry?(incident: IncidentReport, entry: IncidentEntry): void;
}

/** What strategies in force go by when they adjust themselves: the last second. */
const ADJUST_BY_MS = 1_000;
const LIMIT = 3;

/** The basic tier: fixed thresholds, and recovery levels climbed one after the other. */
export class BasicTier implements SelfHealing {
  readonly #parts: HealingParts;
  readonly #manager: RecoveryManager;
  #settings: TargetSettings;
  #context: HealingContext | undefined;
  #calmSince: number | undefined;

  constructor(parts: HealingParts, settings: TargetSettings) {
    this.#parts = parts;
    this.#settings = settings;
    this.#manager = new RecoveryManager({
      registry: parts.registry,
      effects: parts.effects,
      wall: () => parts.clock.wall(),
      onError: (strategy, error) => parts.onStrategyError?.(strategy, error),
      clearOverlay: (strategy) => parts.overlay?.(strategy.name, undefined),
      onEntry: (incident, entry) => parts.onIncidentEntry?.(incident.report(), entry),
    });
  }

  detectAnomaly(context: HealingContext): AnomalyDetectionResult {
    this.#context = context;
    this.#settings = context.settings;
    const anomaly = this.#anomalyNow(context.now, context.settings.recovery);
    if (anomaly !== undefined) this.#calmSince = undefined;
    return { detected: anomaly !== undefined, anomaly };
  }

  selectResponse(anomaly: Anomaly): HealingResponse {
    const context = this.#context ?? this.#lookNow();
    const incident = this.#incidentFor(anomaly);
    // What there is to do about a host was done when it was ejected.
    if (anomaly.kind === 'host-outlier') return { anomaly, strategy: undefined, level: isolate.level };
    this.#adjust(context, incident);
    if (this.#awaitsCause(context, incident)) {
      return { anomaly, strategy: undefined, level: this.#manager.level ?? 0 };
    }
    const strategy = this.#manager.next(this.#failure(context, anomaly), incident, context.now);
    return { anomaly, strategy: strategy?.name, level: strategy?.level ?? this.#manager.level ?? 0 };
  }

  async applyResponse(response: HealingResponse): Promise<HealingResult> {
    const strategy =
      response.strategy === undefined ? undefined : this.#parts.registry.get(response.strategy);
    if (strategy === undefined) return { applied: false, response };
    const context = this.#context ?? this.#lookNow();
    const incident = this.#incidentFor(response.anomaly);
    const recovery = this.#recoveryContext(context, incident, strategy);
    const error = await this.#manager.apply(strategy, recovery, incident, context.now);
    return error === undefined ? { applied: true, response } : { applied: false, response, error };
  }

  verifyRecovery(context: HealingContext): RecoveryStatus {
    this.#context = context;
    const healthy = this.#anomalyNow(context.now, context.settings.recovery) === undefined;
    this.#calmSince = healthy ? (this.#calmSince ?? context.now) : undefined;
    const incident = this.#parts.incidents.openOf(this.#parts.name);
    if (incident !== undefined) this.#adjust(context, incident);
    const waits = incident !== undefined && this.#awaitsCause(context, incident);
    const calmMs = healthy && !waits ? context.now - (this.#calmSince as number) : -1;
    const calm = calmMs >= context.settings.recovery.calmMs;
    if (calm && incident !== undefined) this.#recover(context, incident);
    return { recovered: calm, healthy, level: this.#manager.level };
  }

  learnFromIncident(incident: IncidentReport): void {
    this.#parts.effects.learn(incident);
  }

  getHealthStatus(): HealthStatus {
    const { breaker, incidents, name, clock } = this.#parts;
    const now = clock.now();
    const reasons: string[] = [];
    const incident = incidents.openOf(name);
    if (breaker.forced !== null) {
      const why = breaker.forcedDetail === undefined ? '' : `: ${breaker.forcedDetail}`;
      reasons.push(`the circuit is forced ${breaker.forced}${why}`);
    }
    const state = breaker.stateAt(now);
    if (state !== 'closed') reasons.push(`the circuit is ${state}`);
    else if (breaker.admittedShare(now) < 1) reasons.push('traffic is being let back in');
    const outlier = this.#parts.outlier?.();
    if (outlier !== undefined) reasons.push(tellOfHosts(outlier));
    if (incident !== undefined) {
      const { id, anomaly, rootCause } = incident;
      const because = rootCause === undefined ? '' : `, because of ${rootCause}`;
      reasons.push(`incident ${id}: ${anomaly.kind}${because}`);
    }
    if (reasons.length === 0) return { status: 'healthy', reasons };
    if (incident?.status === 'gave-up') return { status: 'failed', reasons };
    return { status: state === 'open' ? 'critical' : 'degraded', reasons };
  }

  /** Recovery goes upstream first: nothing is done about a route whose trouble comes of an upstream that is unwell. */
  #awaitsCause({ now, circuit }: HealingContext, incident: Incident): boolean {
    const cause = this.#parts.causeOf?.(now);
    if (cause?.isUnwell !== true) return false;
    const { upstream, share } = cause;
    if (incident.rootCause !== upstream) {
      incident.rootCause = upstream;
      const at = this.#parts.clock.wall();
      const entry: IncidentEntry = { at, what: 'attributed', detail: upstream, evidence: { share } };
      incident.add(entry);
      this.#parts.onIncidentEntry?.(incident.report(), entry);
    }
    return circuit === 'closed';
  }

  stepDown(): void {
    const incident = this.#parts.incidents.openOf(this.#parts.name);
    if (incident === undefined) return;
    this.#manager.takeBack(this.#recoveryContext(this.#lookNow(), incident), incident);
  }

  #anomalyNow(now: number, settings: RecoverySettings): Anomaly | undefined {
    const { breaker, monitor } = this.#parts;
    const circuit = breaker.tripped ? breaker.stateAt(now) : 'closed';
    const anomaly = detectByThreshold(monitor, circuit, settings, now);
    // A limit that recovery has set is to be reached: that is no trouble of the target's.
    const isWanted = anomaly?.kind === 'saturation' && this.#manager.isInForce(LIMIT);
    return (isWanted ? undefined : anomaly) ?? this.#parts.outlier?.();
  }

  #lookNow(): HealingContext {
    const { name, breaker, monitor, clock } = this.#parts;
    const now = clock.now();
    return {
      target: name,
      now,
      circuit: breaker.stateAt(now),
      health: monitor.snapshot(now),
      settings: this.#settings,
    };
  }

  #incidentFor(anomaly: Anomaly): Incident {
    const { incidents, name, clock } = this.#parts;
    const open = incidents.openOf(name);
    if (open === undefined) {
      const opened = incidents.open(name, anomaly, clock.wall());
      this.#parts.onIncidentEntry?.(opened.report(), opened.timeline[0] as IncidentEntry);
      return opened;
    }
    if (anomaly.severity > open.anomaly.severity) open.anomaly = anomaly;
    return open;
  }

  #failure({ circuit, settings }: HealingContext, anomaly: Anomaly): Failure {
    const { name, kind, connections } = this.#parts;
    const resettable = settings.recovery.reset !== undefined || connections?.renewable === true;
    return { target: name, kind, anomaly, circuit, settings, resettable };
  }

  #recoveryContext(
    context: HealingContext,
    incident: Incident,
    strategy?: RecoveryStrategy,
  ): Omit<RecoveryContext, 'notes'> {
    const { overlay, notify } = this.#parts;
    return {
      ...this.#failure(context, incident.anomaly),
      health: context.health,
      incident: incident.report(),
      overlay: (options) => {
        // A strategy may still be at work when its incident is over.
        if (strategy && incident.endedAt === undefined) overlay?.(strategy.name, options);
      },
      reset: () => this.#reset(context.settings, incident.id),
      notify: async () => notify?.(incident.report()),
    };
  }

  #adjust(context: HealingContext, incident: Incident): void {
    this.#manager.adjust((strategy) => {
      const health = this.#parts.monitor.snapshot(context.now, ADJUST_BY_MS);
      return this.#recoveryContext({ ...context, health }, incident, strategy);
    });
  }

  async #reset({ recovery }: TargetSettings, incidentId: string): Promise<() => void> {
    const { name, connections, clock, observes } = this.#parts;
    if (observes) return () => {};
    if (connections?.renewable) connections.renew(clock.now());
    const takeBack = await recovery.reset?.({ target: name, incidentId });
    return () => {
      connections?.keep();
      if (typeof takeBack === 'function') takeBack();
    };
  }

  #recover(context: HealingContext, incident: Incident): void {
    const health = this.#parts.monitor.snapshot(context.now, context.settings.recovery.calmMs);
    this.#manager.undoAll(this.#recoveryContext({ ...context, health }, incident), incident);
    const at = this.#parts.clock.wall();
    incident.status = 'recovered';
    incident.endedAt = at;
    const entry: IncidentEntry = { at, what: 'recovered' };
    incident.add(entry);
    this.#parts.incidents.end(incident);
    this.#parts.onIncidentEntry?.(incident.report(), entry);
  }
}

function tellOfHosts({ evidence: { hosts, out, panic } }: Anomaly): string {
  return panic === 1
    ? `most of its ${hosts} hosts are bad, so all are used`
    : `${out} of its ${hosts} hosts are left out`;
}
