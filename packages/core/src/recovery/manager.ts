import type { Incident, IncidentEntry } from '../telemetry/incidents.ts';
import type { StrategyEffects } from './effects.ts';
import type { RecoveryRegistry } from './registry.ts';
import type { Failure, RecoveryContext, RecoveryLevel, RecoveryStrategy } from './strategy.ts';

const ESCALATION = 6;

export interface ManagerEnvironment {
  readonly registry: RecoveryRegistry;
  readonly effects: StrategyEffects;
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
  readonly notes: RecoveryContext['notes'];
  unproven: boolean;
}

/** What a strategy works with, before the manager adds what it remembers. */
type GivenContext = Omit<RecoveryContext, 'notes'>;

/**
 * Climbs the recovery levels of one target: each has a time to prove itself before the next is tried, and all
 * are undone in reverse order when health returns. It never stands between a call and its answer.
 */
export class RecoveryManager {
  readonly #environment: ManagerEnvironment;
  readonly #applied: Applied[] = [];

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
    incident.since ??= now;
    const ageMs = now - incident.since;
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

  /** Whether a strategy of that level is in force. */
  isInForce(level: RecoveryLevel): boolean {
    return this.#applied.some(({ strategy }) => strategy.level === level);
  }

  /** Applies a strategy. Resolves to what it threw, if it did. */
  async apply(
    strategy: RecoveryStrategy,
    context: GivenContext,
    incident: Incident,
    now: number,
  ): Promise<unknown> {
    const { name, level } = strategy;
    const notes = {};
    this.#applied.push({ strategy, at: now, notes, unproven: false });
    incident.level = Math.max(incident.level, level);
    this.#note(incident, 'responded', strategy);
    try {
      await strategy.execute({ ...context, notes });
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

  /**
   * Has the strategies in force fit what they do to how the target is now.
   *
   * @param contextOf makes the context of a strategy
   */
  adjust(contextOf: (strategy: RecoveryStrategy) => GivenContext): void {
    for (const { strategy, notes } of this.#applied) {
      if (strategy.adjust === undefined) continue;
      try {
        strategy.adjust({ ...contextOf(strategy), notes });
      } catch (error) {
        this.#environment.onError(strategy, error);
      }
    }
  }

  /** Health has returned: asks each strategy whether it helped, and takes all back, the last one first. */
  undoAll(context: GivenContext, incident: Incident): void {
    for (const { strategy, notes } of this.#applied.splice(0).toReversed()) {
      const proved = this.#verify(strategy, { ...context, notes });
      this.#note(incident, proved ? 'verified' : 'unproven', strategy);
      this.#undo(strategy, { ...context, notes });
      this.#note(incident, 'undone', strategy);
    }
  }

  /** Takes all back that is in force, the last one first, whether it has helped or not. */
  takeBack(context: GivenContext, incident: Incident): void {
    for (const { strategy, notes } of this.#applied.splice(0).toReversed()) {
      this.#undo(strategy, { ...context, notes });
      this.#note(incident, 'undone', strategy);
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
    this.#note(incident, 'unproven', applied.strategy);
  }

  #giveUp(incident: Incident): void {
    incident.status = 'gave-up';
    this.#enter(incident, { at: this.#environment.wall(), what: 'gave-up' });
  }

  #isApplied(strategy: RecoveryStrategy): boolean {
    return this.#applied.some((applied) => applied.strategy === strategy);
  }

  #deserves({ name, level }: RecoveryStrategy, { anomaly }: Failure, incident: Incident): boolean {
    return level === ESCALATION || this.#environment.effects.deserves(anomaly.kind, name, incident);
  }

  #note(incident: Incident, what: IncidentEntry['what'], { name, level }: RecoveryStrategy): void {
    this.#enter(incident, { at: this.#environment.wall(), what, strategy: name, level });
  }

  #enter(incident: Incident, entry: IncidentEntry): void {
    incident.add(entry);
    this.#environment.onEntry(incident, entry);
  }
}
