import type { TierName } from '../config/tier-names.ts';
import { SAMPLE_MS, WINDOW_MS } from '../health/monitor.ts';
import type { SelfHealing } from '../self-healing.ts';
import type { Target } from '../target.ts';
import type { IncidentLog } from '../telemetry/incidents.ts';
import { TierController } from './controller.ts';
import type { TierUsage } from './usage.ts';

/** What heals a target, and moves it between tiers where it may move. */
interface Healer {
  healing: SelfHealing;
  tier: TierName;
  controller: TierController | undefined;
}

interface Watched {
  readonly healer: Healer;
  /** What had gone wrong at the last look, and since when nothing more has. */
  badSeen: number;
  goodSince: number;
  callsSeen: number;
  idleSince: number;
}

export interface ControlLoopEnvironment {
  readonly incidents: IncidentLog;
  readonly usage: TierUsage;
  /** Exact monotonic ms, for what the loop itself takes. */
  now(): number;
  /** The controller wants a target in another tier. */
  move(target: Target, tier: TierName, reason: string): void;
  makeHealing(target: Target): SelfHealing;
  /** Something threw inside the loop: told once, and the loop goes on. */
  onError(target: Target, error: unknown): void;
}

/**
 * The one loop of a process, off the request path: every half second, and soon after a circuit has moved, each
 * active target is monitored, analysed and helped. It rides on the coarse time's tick, and sleeps with it.
 */
export class ControlLoop {
  readonly #environment: ControlLoopEnvironment;
  readonly #watched = new Map<Target, Watched>();
  readonly #healers = new WeakMap<Target, Healer>();
  readonly #urgent = new Set<Target>();
  #nextPass = Number.NEGATIVE_INFINITY;
  #lastPass = Number.NEGATIVE_INFINITY;

  constructor(environment: ControlLoopEnvironment) {
    this.#environment = environment;
  }

  watch(target: Target, now: number): void {
    target.active = true;
    target.monitor.restart(now);
    const healer = this.#healers.get(target) ?? this.#makeHealer(target);
    this.#healers.set(target, healer);
    this.#watched.set(target, {
      healer,
      badSeen: 0,
      goodSince: Number.NEGATIVE_INFINITY,
      callsSeen: -1,
      idleSince: now,
    });
  }

  /** Has the target looked at with the next tick. */
  hurry(target: Target): void {
    this.#urgent.add(target);
  }

  healingOf(target: Target): SelfHealing | undefined {
    return this.#healers.get(target)?.healing;
  }

  /**
   * Has a target whose tier has changed healed by the new one from here on. What the old one did is taken back; an
   * incident under way, and what is known of the strategies, is the new one's.
   *
   * @returns the tier that it was in, if it was in another
   */
  changeTier(target: Target): TierName | undefined {
    const healer = this.#healers.get(target);
    const { tier } = target.settings;
    if (healer === undefined || healer.tier === tier) return undefined;
    const { healing: old, tier: before } = healer;
    healer.tier = tier;
    healer.healing = this.#environment.makeHealing(target);
    try {
      old.stepDown?.();
    } catch (error) {
      this.#environment.onError(target, error);
    }
    target.clearOverlays();
    return before;
  }

  /** Called each tick. True while something is under way that needs further ticks. */
  tick(now: number): boolean {
    if (now >= this.#nextPass) {
      this.#nextPass = now + SAMPLE_MS;
      const elapsedMs = Math.min(now - this.#lastPass, 2 * SAMPLE_MS);
      this.#lastPass = now;
      // In the order of what depends on what.
      this.#passAll('upstream', now, elapsedMs);
      this.#passAll('route', now, elapsedMs);
    } else {
      for (const target of this.#urgent) {
        const watched = this.#watched.get(target);
        if (watched !== undefined) this.#pass(target, watched, now, undefined);
      }
    }
    this.#urgent.clear();
    return this.#watched.size > 0;
  }

  #passAll(kind: Target['kind'], now: number, elapsedMs: number): void {
    for (const [target, watched] of this.#watched) {
      if (target.kind === kind) this.#pass(target, watched, now, elapsedMs);
    }
  }

  /** @param sinceSampleMs since the last sample, where another is to be taken now */
  #pass(target: Target, watched: Watched, now: number, sinceSampleMs: number | undefined): void {
    const { tier } = watched.healer;
    const began = this.#environment.now();
    try {
      target.lookForHangs(now);
      if (!this.#isWell(target, watched, now)) this.#heal(target, watched.healer.healing, now);
      if (sinceSampleMs !== undefined) this.#control(target, watched.healer, now);
    } catch (error) {
      this.#environment.onError(target, error);
    }
    if (sinceSampleMs !== undefined) {
      target.monitor.sample(now);
      this.#releaseIfIdle(target, watched, now);
    }
    this.#environment.usage.spend(tier, sinceSampleMs ?? 0, this.#environment.now() - began);
  }

  /** True where a closer look can find nothing: this is all that a healthy target costs. */
  #isWell({ name, monitor, breaker, hosts }: Target, watched: Watched, now: number): boolean {
    const bad = monitor.failure + monitor.slow + monitor.hanging;
    if (bad !== watched.badSeen) {
      watched.badSeen = bad;
      watched.goodSince = now;
    }
    const quiet = now - watched.goodSince > WINDOW_MS && monitor.concurrency === undefined;
    if (hosts?.anomaly() !== undefined) return false;
    return quiet && breaker.plain && this.#environment.incidents.openOf(name) === undefined;
  }

  #heal(target: Target, healing: SelfHealing, now: number): void {
    const { name, monitor, breaker, settings } = target;
    const context = {
      target: name,
      now,
      circuit: breaker.stateAt(now),
      health: monitor.snapshot(now),
      settings,
    };
    const { anomaly } = healing.detectAnomaly(context);
    if (anomaly !== undefined) {
      const response = healing.selectResponse(anomaly);
      if (response.strategy === undefined) return;
      healing.applyResponse(response).catch((error) => this.#environment.onError(target, error));
      return;
    }
    const incident = this.#environment.incidents.openOf(name);
    if (incident === undefined) return;
    if (healing.verifyRecovery(context).recovered) healing.learnFromIncident(incident.report());
  }

  #control(target: Target, healer: Healer, now: number): void {
    const { tier, tierRange } = target.settings;
    if (tierRange === undefined) return;
    healer.controller ??= new TierController(now);
    const incident = this.#environment.incidents.openOf(target.name);
    const move = healer.controller.look(tier, tierRange, incident, now);
    if (move !== undefined) this.#environment.move(target, move.tier, move.reason);
  }

  #makeHealer(target: Target): Healer {
    const healing = this.#environment.makeHealing(target);
    return { healing, tier: target.settings.tier, controller: undefined };
  }

  /** A target without calls, once its window is empty and time alone brings nothing, costs nothing further. */
  #releaseIfIdle(target: Target, watched: Watched, now: number): void {
    const { ended, inFlight } = target.monitor;
    if (ended !== watched.callsSeen || inFlight > 0 || this.#isUnderWay(target, now)) {
      watched.callsSeen = ended;
      watched.idleSince = now;
    } else if (now - watched.idleSince > WINDOW_MS) {
      this.#watched.delete(target);
      target.active = false;
    }
  }

  /** An incident that was given up, behind a circuit that only a call can close, waits for that call. */
  #isUnderWay({ name, breaker }: Target, now: number): boolean {
    const incident = this.#environment.incidents.openOf(name);
    if (incident === undefined) return false;
    return incident.status !== 'gave-up' || breaker.stateAt(now) === 'closed';
  }
}
