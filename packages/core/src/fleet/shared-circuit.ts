import type { CircuitSnapshot } from '../circuit/breaker.ts';
import type { FleetView, Report, Seed } from '../store/store.ts';
import type { Random } from '../time/random.ts';
import { Evidence, tripTermsOf } from './evidence.ts';
import { Probing } from './probing.ts';
import { makeId, openTermsOf, type SharedTarget } from './shared-target.ts';

/** Where a view comes from: a reply may show that the store has lost writes, an entry of the stream may just be old. */
export type Source = 'reply' | 'news';

const GIVES_WAY = 'by an earlier decision for the fleet';
const LONGEST_NOTICE_MS = 60_000;
/** News that leap so far are not believed before the record itself was read. */
const GREATEST_LEAP = 1_000;

/** What one replica and the fleet have in common about one target: the view, the evidence, the probes. */
export class SharedCircuit {
  readonly target: SharedTarget;
  readonly evidence: Evidence;
  readonly probing: Probing;
  /** The store knows less than this replica: it is to be told. */
  wantsSeed = false;
  /** Tokens of decisions made here that a later one, made here, has replaced before they were answered. */
  readonly overruled = new Set<string>();
  readonly #random: Random;
  #view: FleetView | undefined;
  /** When an open target may be tried, monotonic ms. */
  #until = 0;

  constructor(target: SharedTarget, random: Random) {
    this.target = target;
    this.#random = random;
    this.evidence = new Evidence(target.breaker, target.monitor);
    this.probing = new Probing(target, random);
  }

  /** What this replica believes; undefined before it was told anything. */
  get view(): FleetView | undefined {
    return this.#view;
  }

  get epoch(): number {
    return this.#view?.epoch ?? 0;
  }

  /** Neither closed nor free of a person's decision. */
  get isUnsettled(): boolean {
    return this.#view !== undefined && (this.#view.state === 'open' || this.#view.forced !== null);
  }

  /**
   * Takes in a view. It moves up only: to a higher epoch, or, by a reply, to another record of the same epoch.
   *
   * @returns false when the record has to be read before it can be believed
   */
  take(view: FleetView, source: Source, now: number): boolean {
    const mine = this.#view;
    if (mine !== undefined && (view.epoch < mine.epoch || view.forcedVersion < mine.forcedVersion)) {
      if (source === 'reply') this.wantsSeed = true;
      if (view.epoch < mine.epoch) return true;
    }
    if (view.epoch === 0) return true;
    if (source === 'news' && !isCredible(view, mine)) return false;
    if (mine !== undefined && isKnown(view, mine)) return true;
    this.#adopt(view, mine, now);
    return true;
  }

  /** The report that is due, if any. */
  report(now: number): Report | undefined {
    // An open record takes none. Were it lost, a report would make a closed one.
    if (this.#view?.state === 'open') return undefined;
    const seen = this.evidence.take(now);
    if (seen === undefined) return undefined;
    return {
      target: this.target.name,
      epoch: this.epoch,
      epochId: this.#view?.epochId ?? '',
      ...seen,
      terms: tripTermsOf(this.target.settings.circuit),
      openTerms: openTermsOf(this.target, this.#random, now),
      nextId: makeId(this.#random),
    };
  }

  seed(now: number): Seed | undefined {
    if (this.#view === undefined) return undefined;
    const remainingMs = this.#view.state === 'open' ? Math.max(0, this.#until - now) : 0;
    const view = { ...this.#view, remainingMs };
    return { view, maxOpenMs: this.#longestOpenMs, nextId: makeId(this.#random) };
  }

  /** The store is away: once due, the circuit is tried alone. */
  standAlone(): void {
    this.probing.stop();
    this.target.breaker.standAlone();
  }

  /** The store is back. What has closed here meanwhile stays closed, and vouches for the target. */
  rejoin(now: number): void {
    const view = this.#view;
    if (view?.state === 'open' && this.target.breaker.stateAt(now) !== 'closed') this.#hold(view, now);
  }

  /** A decision that was made here does not hold: the circuit is as it was `before`, and held by nobody. */
  withdraw(before: CircuitSnapshot, now: number): void {
    const { breaker } = this.target;
    if (breaker.forced !== null) breaker.withdraw(before, now, GIVES_WAY);
  }

  /** Puts what the fleet says in force, instead of what was decided here. */
  obey(before: CircuitSnapshot, now: number): void {
    const { breaker } = this.target;
    const forced = this.#view?.forced ?? null;
    if (forced === null) this.withdraw(before, now);
    else if (breaker.forced !== forced) breaker.force(forced, now, GIVES_WAY);
    this.rejoin(now);
  }

  #adopt(told: FleetView, mine: FleetView | undefined, now: number): void {
    const keepsForce = mine !== undefined && mine.forcedVersion > told.forcedVersion;
    const view = keepsForce
      ? { ...told, forced: mine.forced, forcedVersion: mine.forcedVersion, forcedToken: mine.forcedToken }
      : told;
    this.#view = view;
    this.#until = now + Math.min(view.remainingMs, this.#longestOpenMs);
    this.probing.begin(view, this.#until);
    this.#adoptForce(view, mine, now);
    if (view.state === 'open') {
      if (!this.#hasOvercome(view, mine, now)) this.#hold(view, now);
    } else this.#close(view, mine, now);
  }

  #adoptForce(view: FleetView, mine: FleetView | undefined, now: number): void {
    // What was obeyed once a person may have changed here since, with the store away.
    if (mine !== undefined && isSameDecision(view, mine)) return;
    if (this.overruled.has(view.forcedToken)) return;
    const { breaker } = this.target;
    const { forced } = view;
    if (forced !== null) {
      if (breaker.forced !== forced) breaker.force(forced, now, 'by a decision for the fleet');
    } else if (mine !== undefined && mine.forced !== null) {
      breaker.force(null, now);
    }
  }

  /** What has closed here alone is not opened again by another epoch of the opening that it has overcome. */
  #hasOvercome(view: FleetView, mine: FleetView | undefined, now: number): boolean {
    const isSameOpening = mine?.state === 'open' && mine.openings === view.openings;
    return isSameOpening && this.target.breaker.stateAt(now) === 'closed';
  }

  #hold({ openings }: FleetView, now: number): void {
    this.evidence.thaw();
    this.target.breaker.adoptOpen(this.probing.trial, this.#until, openings, 'fleet-opened', now);
  }

  #close({ epoch }: FleetView, mine: FleetView | undefined, now: number): void {
    const { breaker } = this.target;
    breaker.adoptClosed('fleet-closed', now);
    // Its own window is older than an opening and a closing that it has missed.
    if (mine?.state === 'closed' && mine.epoch < epoch) breaker.forgetCalls(now);
  }

  get #longestOpenMs(): number {
    return Math.max(this.target.settings.circuit.maxOpenMs, LONGEST_NOTICE_MS);
  }
}

function isCredible(view: FleetView, mine: FleetView | undefined): boolean {
  if (view.epoch - (mine?.epoch ?? 0) > GREATEST_LEAP) return false;
  return mine === undefined || view.epoch > mine.epoch || view.epochId === mine.epochId;
}

function isKnown(view: FleetView, mine: FleetView): boolean {
  const isSameEpoch = view.epoch === mine.epoch && view.epochId === mine.epochId;
  return isSameEpoch && view.forcedVersion <= mine.forcedVersion;
}

function isSameDecision(view: FleetView, mine: FleetView): boolean {
  return view.forcedVersion === mine.forcedVersion && view.forcedToken === mine.forcedToken;
}
