import { SAMPLE_MS, WINDOW_MS } from '../health/monitor.ts';
import type { SelfHealing } from '../self-healing.ts';
import type { Target } from '../target.ts';
import type { IncidentLog } from '../telemetry/incidents.ts';

interface Watched {
  readonly healing: SelfHealing;
  /** What had gone wrong at the last look, and since when nothing more has. */
  badSeen: number;
  goodSince: number;
  callsSeen: number;
  idleSince: number;
}

export interface ControlLoopEnvironment {
  readonly incidents: IncidentLog;
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
  readonly #healings = new WeakMap<Target, SelfHealing>();
  readonly #urgent = new Set<Target>();
  #nextPass = Number.NEGATIVE_INFINITY;

  constructor(environment: ControlLoopEnvironment) {
    this.#environment = environment;
  }

  watch(target: Target, now: number): void {
    target.active = true;
    target.monitor.restart(now);
    const healing = this.#healings.get(target) ?? this.#environment.makeHealing(target);
    this.#healings.set(target, healing);
    this.#watched.set(target, {
      healing,
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
    return this.#healings.get(target);
  }

  /** Called each tick. True while something is under way that needs further ticks. */
  tick(now: number): boolean {
    if (now >= this.#nextPass) {
      this.#nextPass = now + SAMPLE_MS;
      // In the order of what depends on what.
      this.#passAll('upstream', now);
      this.#passAll('route', now);
    } else {
      for (const target of this.#urgent) {
        const watched = this.#watched.get(target);
        if (watched !== undefined) this.#pass(target, watched, now, false);
      }
    }
    this.#urgent.clear();
    return this.#watched.size > 0;
  }

  #passAll(kind: Target['kind'], now: number): void {
    for (const [target, watched] of this.#watched) {
      if (target.kind === kind) this.#pass(target, watched, now, true);
    }
  }

  #pass(target: Target, watched: Watched, now: number, sample: boolean): void {
    try {
      target.lookForHangs(now);
      if (!this.#isWell(target, watched, now)) this.#heal(target, watched.healing, now);
    } catch (error) {
      this.#environment.onError(target, error);
    }
    if (!sample) return;
    target.monitor.sample(now);
    this.#releaseIfIdle(target, watched, now);
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
