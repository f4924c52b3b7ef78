import type { CircuitSnapshot } from '../circuit/breaker.ts';
import type { ForcedState } from '../config/schema.ts';
import { InsuredStore, type StoreStatus } from '../store/insured-store.ts';
import { isSharedName } from '../store/replies.ts';
import type { FleetEntry, FleetView, Heartbeat, Store } from '../store/store.ts';
import type { Clock, Timer } from '../time/clock.ts';
import type { Random } from '../time/random.ts';
import { Decisions, type FleetForce } from './decisions.ts';
import { NewsReader } from './news-reader.ts';
import { ProbingLanes } from './probing-lanes.ts';
import { SelfSuspicion } from './self-suspicion.ts';
import { SharedCircuit } from './shared-circuit.ts';
import { makeId, type SharedTarget } from './shared-target.ts';
import { UnusedTargets } from './unused-targets.ts';

const STEP_MS = 100;
const HEARTBEAT_MS = 5_000;
/** While something is not closed a write is due so often: only a write tells that the store is there. */
const URGENT_HEARTBEAT_MS = 500;
/** A new process tells nothing before what it may have told in an earlier life, and died, has ceased to count. */
const SILENT_MS = 2_500;
/** The bound of what a heartbeat tells: past it, what it does not tell may still be. */
const MOST_UNSETTLED = 1_000;
/** Records read by one call. */
const MOST_FETCHED = 20;
/** Targets of one call, and with the replicas that report on each, what there is to add up: below two milliseconds. */
const MOST_TARGETS_A_CALL = 10;
const MOST_REPORTS_A_CALL = 200;

export interface FleetStatus {
  readonly service: string;
  /** This replica's name: random, new with each process. */
  readonly replica: string;
  /** Replicas alive, this one included, as far as is known. */
  readonly live: number;
  readonly store: StoreStatus;
  /** True while most things that this process calls fail at once: it tells the fleet nothing then. */
  readonly suspectsItself: boolean;
}

export interface FleetEnvironment {
  readonly service: string;
  readonly clock: Clock;
  readonly random: Random;
  onStore(status: StoreStatus): void;
  /** A record has another epoch than before. */
  onView(view: FleetView): void;
}

/**
 * This process's part in the fleet: what replicas of a service know of their upstreams they share through a store.
 * All of it happens beside the request path, which reads no more than its own breaker. The protocol is in
 * `docs/protocol.md`.
 */
export class Fleet {
  readonly replica: string;
  readonly #environment: FleetEnvironment;
  readonly #store: InsuredStore;
  readonly #reader: NewsReader;
  readonly #decisions: Decisions;
  readonly #lanes: ProbingLanes;
  readonly #circuits = new Map<string, SharedCircuit>();
  readonly #unused = new UnusedTargets();
  readonly #toFetch = new Set<string>();
  readonly #suspicion = new SelfSuspicion();
  readonly #silentUntil: number;
  #live = 1;
  #nextStep = 0;
  #nextBeat = 0;
  #isBeating = false;
  /** The next one comes soon: others may have started at the same time. */
  #isFirstBeat = true;
  #isReporting = false;
  #isFetching = false;
  #timer: Timer | undefined;
  #closed = false;

  constructor(store: Store, environment: FleetEnvironment) {
    const { clock, random, service } = environment;
    this.#environment = environment;
    this.replica = makeId(random);
    this.#store = new InsuredStore(store, clock, (status) => this.#storeChanged(status));
    this.#reader = new NewsReader(this.#store, clock, random, {
      snapshot: (views) => this.#begin(views),
      news: (entries) => this.#hear(entries),
      live: () => this.#live,
    });
    const { replica } = this;
    const take = (view: FleetView) => this.#take(view, clock.now());
    this.#decisions = new Decisions(this.#store, { replica, clock, random, take });
    this.#lanes = new ProbingLanes(this.#store, { replica, clock, take });
    store.open(service);
    this.#nextBeat = clock.now();
    this.#silentUntil = clock.now() + SILENT_MS;
    void this.#reader.run();
    this.#step(clock.now());
  }

  get status(): FleetStatus {
    const { service } = this.#environment;
    const { replica } = this;
    return {
      service,
      replica,
      live: this.#live,
      store: this.#store.status,
      suspectsItself: this.#suspicion.suspected,
    };
  }

  /** Shares a target; what the fleet knows of it holds at once. */
  join(target: SharedTarget): void {
    if (this.#circuits.has(target.name) || this.#closed || !isSharedName(target.name)) return;
    const circuit = new SharedCircuit(target, this.#environment.random);
    this.#circuits.set(target.name, circuit);
    const now = this.#environment.clock.now();
    const known = this.#unused.take(target.name, now);
    if (known === undefined) return;
    circuit.take(known, 'reply', now);
    if (circuit.view !== undefined) this.#environment.onView(circuit.view);
  }

  /** The target is not used any more. */
  leave(name: string): void {
    const circuit = this.#circuits.get(name);
    if (circuit === undefined) return;
    this.#circuits.delete(name);
    circuit.standAlone();
    void this.#lanes.end(circuit);
    this.#decisions.drop(name);
  }

  /** A circuit has opened here by its own rules. */
  tripped(name: string, now: number): void {
    this.#circuits.get(name)?.evidence.freeze(now);
  }

  /** A circuit has closed here. */
  recovered(name: string): void {
    this.#circuits.get(name)?.evidence.thaw();
  }

  /** Rides on the tick that goes while there is traffic. */
  tick(now: number): void {
    if (now >= this.#nextStep) this.#step(now);
  }

  /** @param before how the circuit was before it was forced here */
  async force(name: string, state: ForcedState, before: CircuitSnapshot): Promise<FleetForce> {
    const circuit = this.#circuits.get(name);
    if (circuit === undefined || this.#closed) return { reached: false, conflict: undefined };
    this.#hurry(this.#environment.clock.now());
    return this.#decisions.decide(circuit, state, before);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#reader.stop();
    this.#decisions.close();
    for (const circuit of this.#circuits.values()) circuit.standAlone();
    await this.#lanes.endAll(this.#circuits.values());
    await this.#store.close(this.replica);
  }

  #step(now: number): void {
    if (this.#closed) return;
    this.#nextStep = now + STEP_MS;
    this.#store.look();
    this.#suspicion.look(this.#circuits.values(), now);
    if (this.#store.away) for (const circuit of this.#circuits.values()) circuit.standAlone();
    const unsettled = this.#isUnsettled();
    if (now >= this.#nextBeat) void this.#beat(now, unsettled);
    void this.#report(now);
    void this.#fetch();
    if (!this.#store.away) {
      this.#lanes.probe(this.#circuits.values(), now);
      this.#decisions.tellAgain(now);
    }
    this.#arm(unsettled ? STEP_MS : Math.max(STEP_MS, this.#nextBeat - now));
  }

  #arm(delayMs: number): void {
    const { clock } = this.#environment;
    this.#timer?.cancel();
    this.#timer = clock.setTimer(() => this.#step(clock.now()), delayMs);
  }

  #isUnsettled(): boolean {
    for (const circuit of this.#circuits.values()) {
      if (circuit.isUnsettled || circuit.evidence.insists || circuit.wantsSeed) return true;
    }
    return this.#toFetch.size > 0 || this.#decisions.areUnanswered || this.#store.away;
  }

  async #beat(now: number, urgent: boolean): Promise<void> {
    if (this.#isBeating) return;
    this.#isBeating = true;
    const isSoon = urgent || this.#isFirstBeat;
    this.#isFirstBeat = false;
    this.#nextBeat = now + (isSoon ? URGENT_HEARTBEAT_MS : HEARTBEAT_MS);
    const heartbeat = await this.#store.heartbeat(this.replica);
    this.#isBeating = false;
    if (this.#closed) return;
    if (heartbeat !== undefined) return this.#compare(heartbeat);
    this.#nextBeat = Math.min(this.#nextBeat, now + URGENT_HEARTBEAT_MS);
    this.#arm(STEP_MS);
  }

  /** Only what differs is read. */
  #compare({ live, cursor, unsettled }: Heartbeat): void {
    this.#live = live;
    this.#reader.check(cursor);
    const told = new Set<string>();
    for (const { target, epoch } of unsettled) {
      told.add(target);
      const circuit = this.#circuits.get(target);
      const differs = circuit === undefined ? this.#unused.lacks(target, epoch) : circuit.epoch !== epoch;
      if (differs) this.#toFetch.add(target);
    }
    if (unsettled.length >= MOST_UNSETTLED) return;
    for (const [name, circuit] of this.#circuits) {
      if (circuit.isUnsettled && !told.has(name)) this.#toFetch.add(name);
    }
    this.#unused.keepOnly(told);
  }

  async #fetch(): Promise<void> {
    if (this.#isFetching) return;
    this.#isFetching = true;
    while (this.#toFetch.size > 0) {
      const names = [...this.#toFetch].slice(0, MOST_FETCHED);
      for (const name of names) this.#toFetch.delete(name);
      const snapshot = await this.#store.snapshot(names);
      if (snapshot !== undefined) this.#takeAll(snapshot.views);
      else {
        for (const name of names) this.#toFetch.add(name);
        break;
      }
    }
    await this.#seed();
    this.#isFetching = false;
  }

  /** The first views that the store brings, or the first since it was emptied: what is known here it may have lost. */
  #begin(views: readonly FleetView[]): void {
    this.#takeAll(views);
    for (const [name, { view }] of this.#circuits) if (view !== undefined) this.#toFetch.add(name);
  }

  async #seed(): Promise<void> {
    const { clock } = this.#environment;
    const seeds = [];
    for (const circuit of this.#circuits.values()) {
      if (!circuit.wantsSeed) continue;
      circuit.wantsSeed = false;
      const seed = circuit.seed(clock.now());
      if (seed !== undefined) seeds.push(seed);
    }
    while (seeds.length > 0) {
      const some = seeds.splice(0, MOST_TARGETS_A_CALL);
      const views = await this.#store.seed(this.replica, some);
      if (views !== undefined) this.#takeAll(views);
      else for (const { view } of some) this.#toFetch.add(view.target);
    }
  }

  /** One flush at a time; what would have been told meanwhile is told by the next one. */
  async #report(now: number): Promise<void> {
    if (this.#isReporting || this.#suspicion.suspected || now < this.#silentUntil) return;
    this.#isReporting = true;
    try {
      const reports = [];
      for (const circuit of this.#circuits.values()) {
        const report = circuit.report(now);
        if (report !== undefined) reports.push(report);
      }
      while (reports.length > 0) {
        const told = reports.splice(0, this.#reportsACall());
        const views = await this.#store.report(this.replica, told);
        if (views === undefined) return;
        this.#takeAll(views);
        views.forEach((view, at) => {
          // It has not counted.
          if (view.epochId !== told[at]?.epochId) this.#circuits.get(view.target)?.evidence.ask();
        });
      }
    } finally {
      this.#isReporting = false;
    }
  }

  #reportsACall(): number {
    return Math.max(1, Math.min(MOST_TARGETS_A_CALL, Math.floor(MOST_REPORTS_A_CALL / this.#live)));
  }

  #takeAll(views: readonly FleetView[]): void {
    const now = this.#environment.clock.now();
    for (const view of views) this.#take(view, now);
  }

  #hear(entries: readonly FleetEntry[]): void {
    const now = this.#environment.clock.now();
    let asked = false;
    for (const entry of entries) {
      if (entry.kind === 'view') this.#take(entry.view, now, 'news');
      else {
        for (const name of entry.targets) this.#circuits.get(name)?.evidence.ask();
        asked = true;
      }
    }
    if (asked) void this.#report(now);
  }

  #take(view: FleetView, now: number, source: 'reply' | 'news' = 'reply'): void {
    if (this.#closed) return;
    const circuit = this.#circuits.get(view.target);
    if (circuit === undefined) this.#unused.remember(view, now);
    else {
      const before = circuit.view;
      if (!circuit.take(view, source, now)) this.#toFetch.add(view.target);
      if (circuit.view !== before && circuit.view !== undefined) this.#environment.onView(circuit.view);
      if (circuit.isUnsettled) this.#hurry(now);
    }
  }

  /** Something is not closed, or was decided: the next step must not wait for the next heartbeat. */
  #hurry(now: number): void {
    if (this.#nextBeat - now <= URGENT_HEARTBEAT_MS) return;
    this.#nextBeat = now + URGENT_HEARTBEAT_MS;
    this.#arm(STEP_MS);
  }

  #storeChanged(status: StoreStatus): void {
    if (this.#closed) return;
    const now = this.#environment.clock.now();
    if (status.state === 'connected') for (const circuit of this.#circuits.values()) circuit.rejoin(now);
    this.#environment.onStore(status);
  }
}
