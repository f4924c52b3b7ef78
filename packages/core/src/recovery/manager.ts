import type { Incident, IncidentEntry, IncidentReport } from '../telemetry/incidents.ts';
import type { RecoveryRegistry } from './registry.ts';
import type { Failure, RecoveryContext, RecoveryLevel, RecoveryStrategy } from './strategy.ts';

const ESCALATION = 6;
/** A strategy that was tried this often for a kind of anomaly, and never helped, is passed over... */
const TRIES_BEFORE_DOUBT = 3;
/** ...but in every so-many-th incident. */
const SECOND_CHANCE = 5;

export interface ManagerEnvironment {
  readonly registry: RecoveryRegistry;
  wall(): number;
  /** A strategy of somebody's threw. */
  onError(strategy: RecoveryStrategy, error: unknown): void;
  /** Takes back a strategy's overlay on the settings. */
  clearOverlay(strategy: RecoveryStrategy): void;
  /** A line was added to the incident. */
  onEntry(incident: Incident, entry: IncidentEntry): void;
}

interface Applied {
  readonly strategy: RecoveryStrategy;
  readonly at: number;
  unproven: boolean;
}

interface Effect {
  tried: number;
  proved: number;
  passedOver: number;
  /** The incident that it was passed over in last. */
  incident: Incident | undefined;
}

/**
 * Climbs the recovery levels of one target: each has a time to prove itself before the next is tried, and all
 * are undone in reverse order when health returns. It never stands between a call and its answer.
 */
export class RecoveryManager {
  readonly #environment: ManagerEnvironment;
  readonly #applied: Applied[] = [];
  readonly #effects = new Map<string, Effect>();
  #incident: Incident | undefined;
  #since = 0;

  constructor(environment: ManagerEnvironment) {
    this.#environment = environment;
  }

  /** The level in force, or undefined while nothing is. */
  get level(): RecoveryLevel | undefined {
    return this.#applied.at(-1)?.strategy.level;
  }

  /** The strategy to apply now, if the ones before have had their time, or if it cannot wait. */
  next(failure: Failure, incident: Incident, now: number): RecoveryStrategy | undefined {
    const { proveMs, escalateAfterMs } = failure.settings.recovery;
    const last = this.#applied.at(-1);
    const ageMs = now - this.#beganAt(incident, now);
    const above = this.#environment.registry
      .applicable(failure, this.#environment.onError)
      .filter((strategy) => !this.#isApplied(strategy) && strategy.level >= (last?.strategy.level ?? 0))
      .filter(({ level }) => level < ESCALATION || ageMs >= escalateAfterMs);
    const urgent = above.find(({ immediate }) => immediate === true);
    if (urgent !== undefined) return urgent;
    if (last !== undefined && now - last.at < proveMs) return undefined;
    if (last !== undefined) this.#markUnproven(last, incident);
    const next = above.find((strategy) => this.#deserves(strategy, failure, incident));
    const spent = next === undefined && ageMs >= escalateAfterMs;
    if (spent && incident.status === 'open') this.#giveUp(incident);
    return next;
  }

  /** Applies a strategy. Resolves to what it threw, if it did. */
  async apply(
    strategy: RecoveryStrategy,
    context: RecoveryContext,
    incident: Incident,
    now: number,
  ): Promise<unknown> {
    const { name, level } = strategy;
    this.#applied.push({ strategy, at: now, unproven: false });
    incident.level = Math.max(incident.level, level);
    this.#enter(incident, { at: this.#environment.wall(), what: 'responded', strategy: name, level });
    try {
      await strategy.execute(context);
      return undefined;
    } catch (error) {
      this.#environment.onError(strategy, error);
      const detail = String((error as Error | undefined)?.message ?? error);
      this.#enter(incident, {
        at: this.#environment.wall(),
        what: 'failed-to-respond',
        strategy: name,
        level,
        detail,
      });
      return error;
    }
  }

  /** Health has returned: asks each strategy whether it helped, and takes all back, the last one first. */
  undoAll(context: RecoveryContext, incident: Incident): void {
    for (const { strategy } of this.#applied.toReversed()) {
      const { name, level } = strategy;
      const proved = this.#verify(strategy, context);
      this.#enter(incident, {
        at: this.#environment.wall(),
        what: proved ? 'verified' : 'unproven',
        strategy: name,
        level,
      });
      this.#undo(strategy, context);
      this.#enter(incident, { at: this.#environment.wall(), what: 'undone', strategy: name, level });
    }
    this.#applied.length = 0;
  }

  /** Counts, from an incident's story, which strategies were tried and which had helped in their time. */
  learn({ anomaly, timeline }: IncidentReport): void {
    const unproven = new Set(
      timeline.filter(({ what }) => what === 'unproven').map(({ strategy }) => strategy),
    );
    for (const { what, strategy } of timeline) {
      if (strategy === undefined) continue;
      if (what === 'responded') this.#effectOf(anomaly.kind, strategy).tried++;
      if (what === 'verified' && !unproven.has(strategy)) this.#effectOf(anomaly.kind, strategy).proved++;
    }
  }

  #verify(strategy: RecoveryStrategy, context: RecoveryContext): boolean {
    try {
      return strategy.verify(context);
    } catch (error) {
      this.#environment.onError(strategy, error);
      return false;
    }
  }

  #undo(strategy: RecoveryStrategy, context: RecoveryContext): void {
    this.#environment.clearOverlay(strategy);
    const failed = (error: unknown) => this.#environment.onError(strategy, error);
    try {
      Promise.resolve(strategy.undo?.(context)).catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  #markUnproven(applied: Applied, incident: Incident): void {
    if (applied.unproven) return;
    applied.unproven = true;
    const { name, level } = applied.strategy;
    this.#enter(incident, { at: this.#environment.wall(), what: 'unproven', strategy: name, level });
  }

  #giveUp(incident: Incident): void {
    incident.status = 'gave-up';
    this.#enter(incident, { at: this.#environment.wall(), what: 'gave-up' });
  }

  /** In monotonic time: the wall clock may be set while an incident lasts. */
  #beganAt(incident: Incident, now: number): number {
    if (incident !== this.#incident) {
      this.#incident = incident;
      this.#since = now;
    }
    return this.#since;
  }

  #isApplied(strategy: RecoveryStrategy): boolean {
    return this.#applied.some((applied) => applied.strategy === strategy);
  }

  #deserves(strategy: RecoveryStrategy, failure: Failure, incident: Incident): boolean {
    const effect = this.#effectOf(failure.anomaly.kind, strategy.name);
    if (effect.proved > 0 || effect.tried < TRIES_BEFORE_DOUBT || strategy.level === ESCALATION) return true;
    if (effect.incident !== incident) effect.passedOver++;
    effect.incident = incident;
    return effect.passedOver % SECOND_CHANCE === 0;
  }

  #effectOf(kind: string, strategy: string): Effect {
    const key = `${kind} ${strategy}`;
    const effect = this.#effects.get(key) ?? { tried: 0, proved: 0, passedOver: 0, incident: undefined };
    this.#effects.set(key, effect);
    return effect;
  }

  #enter(incident: Incident, entry: IncidentEntry): void {
    incident.add(entry);
    this.#environment.onEntry(incident, entry);
  }
}
