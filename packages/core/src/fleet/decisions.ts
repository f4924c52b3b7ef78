import type { CircuitSnapshot } from '../circuit/breaker.ts';
import type { ForcedState } from '../config/schema.ts';
import type { InsuredStore } from '../store/insured-store.ts';
import type { FleetView } from '../store/store.ts';
import type { Clock } from '../time/clock.ts';
import type { Random } from '../time/random.ts';
import type { SharedCircuit } from './shared-circuit.ts';
import { makeId } from './shared-target.ts';

/** A person waits for an answer so long at most, while the decision is told so often. */
const MOST_TIMES = 5;
const PATIENCE_MS = 2_000;
const PAUSE_MS = 100;
const PAUSE_JITTER_MS = 200;
/** What nobody waits for any more is told so often. */
const TELL_AGAIN_MS = 500;

/** What a person's decision has met with in the fleet. */
export interface FleetForce {
  readonly reached: boolean;
  /** Somebody else has decided in between: that is what counts. */
  readonly conflict: ForcedState | undefined;
}

const UNREACHED: FleetForce = { reached: false, conflict: undefined };

interface Decision {
  readonly circuit: SharedCircuit;
  readonly state: ForcedState;
  readonly token: string;
  /** How the circuit was before. */
  readonly before: CircuitSnapshot;
  /** The number of the decision that this one follows; undefined while it is not known here. */
  base: number | undefined;
  /** When it is to be told again, monotonic ms; never while a reply is awaited. */
  nextAt: number;
}

export interface DecisionsEnvironment {
  readonly replica: string;
  readonly clock: Clock;
  readonly random: Random;
  take(view: FleetView): void;
}

/**
 * Tells the fleet what people decide here, each decision under one token until there is an answer. What has had none
 * in time holds here alone, until the store can tell whether somebody else has decided meanwhile.
 */
export class Decisions {
  readonly #store: InsuredStore;
  readonly #environment: DecisionsEnvironment;
  /** The last decision on each target, as long as the fleet has not answered it. */
  readonly #unanswered = new Map<string, Decision>();

  constructor(store: InsuredStore, environment: DecisionsEnvironment) {
    this.#store = store;
    this.#environment = environment;
  }

  get areUnanswered(): boolean {
    return this.#unanswered.size > 0;
  }

  /** @param before how the circuit was before it was forced here */
  async decide(circuit: SharedCircuit, state: ForcedState, before: CircuitSnapshot): Promise<FleetForce> {
    const { name } = circuit.target;
    const earlier = this.#unanswered.get(name);
    if (earlier !== undefined) circuit.overruled.add(earlier.token);
    const decision: Decision = {
      circuit,
      state,
      token: makeId(this.#environment.random),
      before: earlier?.before ?? before,
      base: circuit.view?.forcedVersion,
      nextAt: Number.POSITIVE_INFINITY,
    };
    this.#unanswered.set(name, decision);
    return (await this.#insist(decision)) ?? this.#leaveAlone(decision);
  }

  /** Tells again what holds here alone, where it is due. */
  tellAgain(now: number): void {
    for (const decision of this.#unanswered.values()) {
      if (now >= decision.nextAt) void this.#tellOnce(decision);
    }
  }

  /** The target is not shared any more. */
  drop(name: string): void {
    this.#unanswered.delete(name);
  }

  close(): void {
    this.#unanswered.clear();
  }

  async #insist(decision: Decision): Promise<FleetForce | undefined> {
    const { clock, random } = this.#environment;
    const until = clock.now() + PATIENCE_MS;
    for (let times = 1; ; times++) {
      const answer = await this.#tell(decision);
      if (answer !== undefined) return answer;
      const pauseMs = PAUSE_MS + random.next() * PAUSE_JITTER_MS;
      const isLate = times >= MOST_TIMES || clock.now() + pauseMs > until;
      if (isLate || this.#store.away || !this.#isLast(decision)) return undefined;
      await new Promise<void>((resolve) => clock.setTimer(resolve, pauseMs).keepAlive(true));
      if (!this.#isLast(decision)) return undefined;
    }
  }

  #leaveAlone(decision: Decision): FleetForce {
    // Who knew nothing of the target gives way to whatever was decided for it.
    decision.base ??= 0;
    decision.nextAt = this.#environment.clock.now() + TELL_AGAIN_MS;
    return UNREACHED;
  }

  async #tellOnce(decision: Decision): Promise<void> {
    decision.nextAt = Number.POSITIVE_INFINITY;
    if ((await this.#tell(decision)) === undefined) this.#leaveAlone(decision);
  }

  /** @returns undefined where there is no answer yet */
  async #tell(decision: Decision): Promise<FleetForce | undefined> {
    const { replica, random } = this.#environment;
    const { circuit, state, token } = decision;
    decision.base ??= await this.#readBase(circuit.target.name);
    const baseVersion = decision.base;
    if (baseVersion === undefined) return undefined;
    const { name: target } = circuit.target;
    const force = { target, state, token, baseVersion, nextId: makeId(random) };
    const reply = await this.#store.force(replica, force);
    if (reply === undefined) return undefined;
    const { accepted, view } = reply;
    if (!accepted && view.forcedVersion < baseVersion) return this.#lost(decision, view);
    if (!accepted && this.#isLast(decision) && circuit.overruled.has(view.forcedToken)) {
      decision.base = view.forcedVersion;
      return this.#tell(decision);
    }
    if (this.#isLast(decision)) this.#answered(decision, accepted, view);
    else this.#environment.take(view);
    return { reached: true, conflict: accepted ? undefined : view.forced };
  }

  async #readBase(name: string): Promise<number | undefined> {
    const snapshot = await this.#store.snapshot([name]);
    if (snapshot === undefined) return undefined;
    return snapshot.views.find(({ target }) => target === name)?.forcedVersion ?? 0;
  }

  /** The store has lost the decision that this one follows. It is told of it; or else nobody knows it. */
  #lost(decision: Decision, view: FleetView): undefined {
    this.#environment.take(view);
    if (!decision.circuit.wantsSeed) decision.base = view.forcedVersion;
  }

  #answered({ circuit, before }: Decision, accepted: boolean, view: FleetView): void {
    const { clock, take } = this.#environment;
    this.#unanswered.delete(circuit.target.name);
    if (!accepted && view.forced === null) circuit.withdraw(before, clock.now());
    take(view);
    circuit.overruled.clear();
    if (!accepted) circuit.obey(before, clock.now());
  }

  #isLast(decision: Decision): boolean {
    return this.#unanswered.get(decision.circuit.target.name) === decision;
  }
}
