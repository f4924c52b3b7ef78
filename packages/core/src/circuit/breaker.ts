import type { CircuitOptions, CircuitSettings, ForcedState, Outcome } from '../config/schema.ts';
import { resolveCircuit } from '../config/settings.ts';
import { type Clock, systemClock } from '../time/clock.ts';
import { type Random, systemRandom } from '../time/random.ts';
import { OpenTime } from './open-time.ts';
import { ProbeRound } from './probe-round.ts';
import { Ramp } from './ramp.ts';
import { NONE } from './token.ts';
import type { Trial } from './trial.ts';
import { TripJudge } from './trip-judge.ts';

export type CircuitState = 'closed' | 'open' | 'half-open';

/** A change of a circuit's state, as told to whoever watches it. */
export interface CircuitTransition {
  from: CircuitState;
  to: CircuitState;
  /** A trip rule's name, or `due`, `probes-succeeded`, `probes-failed`, `forced`, `released`, `restored`, `never-open`. */
  reason: string;
  /** What the person who forced it says. */
  detail?: string | undefined;
}

/** All that a circuit has to remember across a restart. Plain data. */
export interface CircuitSnapshot {
  state: 'closed' | 'open';
  forced: ForcedState;
  /** Ms of open time that were left at `wallMs`. */
  openLeftMs: number;
  /** Openings without a calm between them; they set the next open time. */
  openings: number;
  wallMs: number;
}

export interface BreakerEnvironment {
  clock?: Clock;
  random?: Random;
  /** Longest time of any call, which bounds the growth of a probe's lease. Default: 30 s. */
  longestCallMs?: number | undefined;
  onTransition?: (transition: CircuitTransition, now: number) => void;
  /** Ms for which nothing in this process could run, in all: they do not count for a probe's lease. */
  lostMs?: () => number;
}

/** How long any call may take where nothing says so. */
export const LONGEST_CALL_MS = 30_000;
/** A probe's own timeout must be heard before its lease ends. */
const LEASE_MARGIN_MS = 100;

/**
 * A circuit breaker: closed, open, half-open (Nygard, "Release It!"), with a forced state above them.
 *
 * Every admission is a token, and a verdict counts only while its token is current: one that comes after the
 * state has changed, or after its probe's lease, changes nothing. Half-open admits a bounded number of
 * probes; other callers are refused at once, never queued. Rates contain neither refusals nor ignored calls,
 * and the window starts anew whenever the circuit closes.
 */
export class CircuitBreaker {
  #settings: CircuitSettings;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #onTransition: BreakerEnvironment['onTransition'];
  readonly #lostMs: () => number;
  #longestCallMs: number;
  #neverOpens = false;

  #forced: ForcedState = null;
  #detail: string | undefined;
  #forcedDetail: string | undefined;
  #lastToken = 1;
  #soleToken = 0;
  #tripped = false;
  readonly #openTime = new OpenTime();
  #closedAt = Number.NEGATIVE_INFINITY;
  #probes: Trial | undefined;
  /** The fleet's, while it holds the circuit open. */
  #fleetTrial: Trial | undefined;

  // What every call reads lies side by side.
  readonly #judge: TripJudge;
  #state: CircuitState = 'closed';
  #closedToken = 1;
  #ramp: Ramp | undefined;

  /**
   * @param options what differs from the defaults of `docs/settings.md`, section circuit
   * @throws ConfigError for a wrong setting
   */
  constructor(options: CircuitOptions = {}, environment: BreakerEnvironment = {}) {
    this.#settings = resolveCircuit(options);
    this.#clock = environment.clock ?? systemClock;
    this.#random = environment.random ?? systemRandom;
    this.#onTransition = environment.onTransition;
    this.#lostMs = environment.lostMs ?? (() => 0);
    this.#longestCallMs = environment.longestCallMs ?? LONGEST_CALL_MS;
    this.#judge = new TripJudge(this.#settings);
  }

  /** The state in force. An open circuit whose time is over is half-open, whether or not a call has come. */
  get state(): CircuitState {
    return this.stateAt(this.#clock.now());
  }

  get forced(): ForcedState {
    return this.#forced;
  }

  get settings(): CircuitSettings {
    return this.#settings;
  }

  stateAt(now: number): CircuitState {
    return this.#state === 'open' && now >= this.#openTime.until ? 'half-open' : this.#state;
  }

  /** True from a trip until the circuit closes again; not for one that a person had forced open. */
  get tripped(): boolean {
    return this.#tripped;
  }

  /** True while every call is admitted and none is a probe. */
  get plain(): boolean {
    return this.#state === 'closed' && this.#ramp === undefined;
  }

  /** Calls, failures and slow calls that the next trip would be judged by. */
  countsAt(now: number): { calls: number; failures: number; slow: number } {
    return this.#judge.counts(now);
  }

  /** Failures since the last success. */
  get streak(): number {
    return this.#judge.streak;
  }

  /** A token to give back to `record`, or 0: refused. */
  tryAcquire(now: number = this.#clock.now()): number {
    if (this.#state !== 'closed') return this.#acquireProbe(now);
    return this.#ramp === undefined ? this.#closedToken : this.#acquireInRamp(this.#ramp, now);
  }

  /** The token of calls that began at `start`, if they may be judged now; else -1. */
  tokenSince(start: number): number {
    return start >= this.#closedAt ? this.#closedToken : NONE;
  }

  /** True when `token` is that of a probe whose lease still runs. */
  isProbe(token: number): boolean {
    return this.#probes?.holds(token) ?? false;
  }

  /** Ms that a probe of the present trial may take. */
  get probeLimitMs(): number {
    const grown = this.#settings.probeTimeoutMs * 2 ** Math.max(0, this.#openTime.openings - 1);
    return Math.min(grown, Math.max(this.#longestCallMs, this.#settings.probeTimeoutMs));
  }

  /**
   * Books what an admitted call came to.
   *
   * @param latencyMs how long it took, for the slow-call rate
   * @param retryAfterMs with `overload`: the earliest next try, at most 60 s away
   * @returns false when the token is no longer current and the verdict therefore changes nothing
   */
  record(
    token: number,
    outcome: Outcome,
    latencyMs = 0,
    now: number = this.#clock.now(),
    retryAfterMs = 0,
  ): boolean {
    if (token !== this.#closedToken) return this.#recordProbe(token, outcome, latencyMs, now, retryAfterMs);
    let reason: string | undefined;
    if (outcome === 'success') reason = this.#judge.succeeded(now, latencyMs);
    else if (outcome === 'failure') reason = this.#judge.failed(now, latencyMs);
    else if (outcome === 'overload') {
      this.#openTime.notice(now, retryAfterMs);
      reason = this.#judge.overloaded(now);
    }
    if (reason !== undefined) this.#tripByRule(now, reason);
    return true;
  }

  /** Books a success that was quick. False, and nothing is booked, where `token` is none of a closed circuit's. */
  countSuccess(token: number, now: number): boolean {
    if (token !== this.#closedToken || token < 0) return false;
    this.#judge.passed(now);
    return true;
  }

  /** For a lone caller, one call at a time: asks whether the next call may go. */
  allowRequest(): boolean {
    this.#soleToken = this.tryAcquire();
    return this.#soleToken !== 0;
  }

  /** For a lone caller: the call that was last allowed succeeded. */
  recordSuccess(latencyMs = 0): void {
    this.record(this.#soleToken, 'success', latencyMs);
  }

  /** For a lone caller: the call that was last allowed failed. */
  recordFailure(latencyMs = 0): void {
    this.record(this.#soleToken, 'failure', latencyMs);
  }

  /**
   * Holds the circuit open or closed whatever happens, until `null` gives it back: a circuit forced open is
   * then tried at once, one forced closed starts with a clean window.
   */
  force(state: ForcedState, now: number = this.#clock.now(), detail?: string): void {
    if (state === this.#forced && (state === null || detail === this.#forcedDetail)) return;
    const was = this.#forced;
    const before = this.#state;
    this.#detail = detail;
    this.#forced = state;
    this.#forcedDetail = detail;
    this.#tripped = false;
    this.#fleetTrial = undefined;
    if (state === 'open') {
      this.#openTime.until = Number.POSITIVE_INFINITY;
      this.#enterOpen(now, 'forced');
    } else if (state === 'closed') {
      this.#enterClosed(now, false, 'forced');
    } else if (was === 'open' && !this.#neverOpens) {
      this.#openTime.until = now;
    } else {
      this.#enterClosed(now, false, 'released');
    }
    // A person's word is told even where it changes nothing but who decides.
    if (this.#state === before) this.#tell(before, before, state === null ? 'released' : 'forced', now);
    this.#detail = undefined;
  }

  /** Takes back a decision that does not hold: the circuit is as it was `before`, and held by nobody. */
  withdraw(before: CircuitSnapshot, now: number, detail: string): void {
    const from = this.#state;
    this.#detail = detail;
    this.restore({ ...before, forced: null }, 'released');
    if (this.#state === from) this.#tell(from, from, 'released', now);
    this.#detail = undefined;
  }

  /** What the person who forced it says. */
  get forcedDetail(): string | undefined {
    return this.#forced === null ? undefined : this.#forcedDetail;
  }

  /** Why a call is refused, for people. */
  get refusal(): string {
    if (this.#forced === 'open') return `the circuit is forced open${because(this.#forcedDetail)}`;
    if (this.#state === 'closed') return 'the circuit has just closed, and lets traffic back in step by step';
    return this.#state === 'open' ? 'the circuit is open' : 'the circuit is being tried';
  }

  /** Ms until another try makes sense; 0 when it does now. */
  retryAfterMs(now: number = this.#clock.now()): number {
    if (this.#state === 'closed') return this.#ramp?.leftMs(now, this.#settings.rampMs) ?? 0;
    if (this.#forced === 'open') return this.#settings.maxOpenMs;
    if (this.#state === 'open') return Math.max(0, this.#openTime.until - now);
    const probes = this.#probes as Trial;
    return probes.freeAt(now) > 0 ? 0 : probes.waitMs(now);
  }

  /** Ms until the upstream said that another try makes sense (Retry-After); 0 when it said nothing. */
  noticeLeftMs(now: number = this.#clock.now()): number {
    return this.#openTime.noticeLeftMs(now);
  }

  /** Share of the traffic that is let in: 1, or less while a circuit that has just closed ramps up. */
  admittedShare(now: number = this.#clock.now()): number {
    if (this.#state !== 'closed') return 0;
    return this.#ramp?.share(now, this.#settings.rampMs) ?? 1;
  }

  /** Puts other settings in force; state and counts are kept. */
  update(settings: CircuitOptions, longestCallMs?: number, now: number = this.#clock.now()): void {
    const next = resolveCircuit(settings);
    this.#judge.update(next, now);
    this.#settings = next;
    if (longestCallMs !== undefined) this.#longestCallMs = longestCallMs;
  }

  /** Whether the circuit stays closed whatever fails, unless it is forced. One that is not closed then closes. */
  neverOpen(yes: boolean, now: number = this.#clock.now()): void {
    this.#neverOpens = yes;
    if (yes && this.#forced === null && this.#state !== 'closed') this.#enterClosed(now, false, 'never-open');
  }

  /** True while the circuit is open, or being tried, by the fleet's decision. */
  get isFleets(): boolean {
    return this.#fleetTrial !== undefined;
  }

  /**
   * The fleet holds the circuit open until `until`, and tries it by `trial` then: what happened here counts no more.
   * Without effect while it is forced, or never opens.
   */
  adoptOpen(trial: Trial, until: number, openings: number, reason: string, now: number): void {
    if (this.#forced !== null || this.#neverOpens) return;
    const goesOn = this.#state === 'half-open' && this.#fleetTrial === trial && until <= now;
    this.#fleetTrial = trial;
    this.#openTime.openings = openings;
    this.#openTime.until = until;
    if (goesOn) return;
    this.#tripped = true;
    this.#ramp = undefined;
    this.#enterOpen(now, reason);
  }

  /** The fleet has closed the circuit. One that is open for what happened here stays open. */
  adoptClosed(reason: string, now: number): void {
    if (this.#fleetTrial !== undefined) this.#enterClosed(now, this.#settings.rampMs > 0, reason);
  }

  /** The fleet cannot be asked: once it is due, the circuit is tried alone. */
  standAlone(): void {
    if (this.#fleetTrial === undefined) return;
    this.#fleetTrial = undefined;
    if (this.#state === 'half-open') this.#probes = this.#ownTrial();
  }

  /** The fleet has opened and closed the circuit unseen from here: what was counted before is no evidence any more. */
  forgetCalls(now: number): void {
    if (this.#state !== 'closed') return;
    this.#judge.clear();
    this.#closedToken = ++this.#lastToken;
    this.#closedAt = now;
  }

  snapshot(): CircuitSnapshot {
    const now = this.#clock.now();
    const { until, openings } = this.#openTime;
    const isOpen = this.#state === 'open' && this.#forced === null;
    return {
      state: this.#state === 'closed' ? 'closed' : 'open',
      forced: this.#forced,
      openLeftMs: isOpen ? Math.max(0, until - now) : 0,
      openings,
      wallMs: this.#clock.wall(),
    };
  }

  /** Takes up a state from before. The time that has passed since is taken off what was left. */
  restore(snapshot: CircuitSnapshot, reason = 'restored'): void {
    const now = this.#clock.now();
    const { state, forced, openLeftMs, wallMs } = snapshot;
    const passed = Math.max(0, this.#clock.wall() - wallMs);
    this.#forced = null;
    this.#openTime.restore(now, snapshot.openings, openLeftMs - passed, this.#settings.maxOpenMs);
    if (forced === 'open' || forced === 'closed') {
      this.force(forced, now);
    } else if (state === 'closed') {
      this.#enterClosed(now, false, reason);
    } else {
      this.#tripped = true;
      this.#enterOpen(now, reason);
    }
  }

  #tripByRule(now: number, rule: string): void {
    if (this.#forced !== null || this.#neverOpens) return;
    if (now - this.#closedAt > this.#settings.windowMs) this.#openTime.openings = 0;
    this.#trip(now, now, rule);
  }

  #trip(now: number, from: number, reason: string): void {
    this.#openTime.begin(from, this.#settings, this.#random);
    this.#tripped = true;
    this.#enterOpen(now, reason);
  }

  #acquireInRamp(ramp: Ramp, now: number): number {
    const share = ramp.share(now, this.#settings.rampMs);
    if (share >= 1) this.#ramp = undefined;
    return ramp.admits(share) ? this.#closedToken : 0;
  }

  #acquireProbe(now: number): number {
    this.#expireProbes(now);
    if (this.#state === 'open') {
      if (now < this.#openTime.until) return 0;
      this.#probes = this.#fleetTrial ?? this.#ownTrial();
      this.#enter('half-open', 'due', now);
      // Whoever was told may have closed it.
      if (this.plain) return this.#closedToken;
    }
    return this.#probes?.grant(this.#lastToken + 1, now) ? ++this.#lastToken : 0;
  }

  #expireProbes(now: number): void {
    if (this.#state !== 'half-open') return;
    const probes = this.#probes as Trial;
    probes.expire(now);
    if (probes.decision === 'reopen') this.#trip(now, probes.lastExpiry, 'probes-failed');
  }

  #recordProbe(
    token: number,
    outcome: Outcome,
    latencyMs: number,
    now: number,
    retryAfterMs: number,
  ): boolean {
    this.#expireProbes(now);
    const probes = this.#probes;
    if (probes === undefined) return false;
    const succeeded = outcome === 'success' && !this.#judge.isSlow(latencyMs);
    const verdict = outcome === 'ignored' ? 'unused' : succeeded ? 'succeeded' : 'failed';
    if (!probes.settle(token, verdict, now)) return false;
    if (outcome === 'overload') this.#openTime.notice(now, retryAfterMs);
    if (probes.decision === 'close') this.#enterClosed(now, this.#settings.rampMs > 0, 'probes-succeeded');
    else if (probes.decision === 'reopen') this.#trip(now, now, 'probes-failed');
    return true;
  }

  #ownTrial(): ProbeRound {
    return new ProbeRound(this.#settings.probes, this.probeLimitMs + LEASE_MARGIN_MS, this.#lostMs);
  }

  #enterOpen(now: number, reason: string): void {
    this.#closedToken = NONE;
    this.#probes = undefined;
    this.#enter('open', reason, now);
  }

  #enterClosed(now: number, ramp: boolean, reason: string): void {
    this.#probes = undefined;
    this.#fleetTrial = undefined;
    this.#closedToken = ++this.#lastToken;
    this.#closedAt = now;
    this.#tripped = false;
    this.#ramp = ramp ? new Ramp(now) : undefined;
    this.#judge.clear();
    this.#enter('closed', reason, now);
  }

  #enter(to: CircuitState, reason: string, now: number): void {
    const from = this.#state;
    this.#state = to;
    if (from !== to) this.#tell(from, to, reason, now);
  }

  #tell(from: CircuitState, to: CircuitState, reason: string, now: number): void {
    this.#onTransition?.({ from, to, reason, detail: this.#detail }, now);
  }
}

function because(detail: string | undefined): string {
  return detail === undefined ? '' : `: ${detail}`;
}
