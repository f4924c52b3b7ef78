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
 * The states of a circuit and what moves it by itself: closed, open, half-open (Nygard, "Release It!").
 *
 * Every admission is a token, and a verdict counts only while its token is current: one that comes after the
 * state has changed, or after its probe's lease, changes nothing. Half-open admits a bounded number of
 * probes; other callers are refused at once, never queued. Rates contain neither refusals nor ignored calls,
 * and the window starts anew whenever the circuit closes.
 */
export abstract class CircuitMachine {
  #settings: CircuitSettings;
  readonly #random: Random;
  readonly #onTransition: BreakerEnvironment['onTransition'];
  readonly #lostMs: () => number;
  #longestCallMs: number;
  protected readonly clock: Clock;
  protected readonly openTime = new OpenTime();
  protected neverOpens = false;
  /** What a person holds it in: nothing moves it then. */
  protected held: ForcedState = null;
  /** What the next transition is told with. */
  protected detail: string | undefined;
  protected hasTripped = false;
  protected lastToken = 1;
  protected closedAt = Number.NEGATIVE_INFINITY;
  /** Of a circuit that is half-open. */
  protected trial: Trial | undefined;
  /** The fleet's, while it holds the circuit open. */
  protected fleetTrial: Trial | undefined;

  // What every call reads lies side by side.
  protected readonly judge: TripJudge;
  protected current: CircuitState = 'closed';
  protected closedToken = 1;
  protected ramp: Ramp | undefined;

  constructor(options: CircuitOptions, environment: BreakerEnvironment) {
    this.#settings = resolveCircuit(options);
    this.clock = environment.clock ?? systemClock;
    this.#random = environment.random ?? systemRandom;
    this.#onTransition = environment.onTransition;
    this.#lostMs = environment.lostMs ?? (() => 0);
    this.#longestCallMs = environment.longestCallMs ?? LONGEST_CALL_MS;
    this.judge = new TripJudge(this.#settings);
  }

  /** The state in force. An open circuit whose time is over is half-open, whether or not a call has come. */
  get state(): CircuitState {
    return this.stateAt(this.clock.now());
  }

  get settings(): CircuitSettings {
    return this.#settings;
  }

  stateAt(now: number): CircuitState {
    return this.current === 'open' && now >= this.openTime.until ? 'half-open' : this.current;
  }

  /** True from a trip until the circuit closes again; not for one that a person had forced open. */
  get tripped(): boolean {
    return this.hasTripped;
  }

  /** True while every call is admitted and none is a probe. */
  get plain(): boolean {
    return this.current === 'closed' && this.ramp === undefined;
  }

  /** Calls, failures and slow calls that the next trip would be judged by. */
  countsAt(now: number): { calls: number; failures: number; slow: number } {
    return this.judge.counts(now);
  }

  /** Failures since the last success. */
  get streak(): number {
    return this.judge.streak;
  }

  /** A token to give back to `record`, or 0: refused. */
  tryAcquire(now: number = this.clock.now()): number {
    if (this.current !== 'closed') return this.#acquireProbe(now);
    return this.ramp === undefined ? this.closedToken : this.#acquireInRamp(this.ramp, now);
  }

  /** The token of calls that began at `start`, if they may be judged now; else -1. */
  tokenSince(start: number): number {
    return start >= this.closedAt ? this.closedToken : NONE;
  }

  /** True when `token` is that of a probe whose lease still runs. */
  isProbe(token: number): boolean {
    return this.trial?.holds(token) ?? false;
  }

  /** Ms that a probe of the present trial may take. */
  get probeLimitMs(): number {
    const grown = this.#settings.probeTimeoutMs * 2 ** Math.max(0, this.openTime.openings - 1);
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
    now: number = this.clock.now(),
    retryAfterMs = 0,
  ): boolean {
    if (token !== this.closedToken) return this.#recordProbe(token, outcome, latencyMs, now, retryAfterMs);
    let reason: string | undefined;
    if (outcome === 'success') reason = this.judge.succeeded(now, latencyMs);
    else if (outcome === 'failure') reason = this.judge.failed(now, latencyMs);
    else if (outcome === 'overload') {
      this.openTime.notice(now, retryAfterMs);
      reason = this.judge.overloaded(now);
    }
    if (reason !== undefined) this.#tripByRule(now, reason);
    return true;
  }

  /** Asks whether so many calls in flight that are slow already are reason to open. They are booked when they end. */
  judgeHanging(hanging: number, now: number = this.clock.now()): void {
    if (hanging === 0 || this.current !== 'closed') return;
    const reason = this.judge.hanging(hanging, now);
    if (reason !== undefined) this.#tripByRule(now, reason);
  }

  /** Ms since it closed last; infinity: it was never open. */
  closedForMs(now: number = this.clock.now()): number {
    return now - this.closedAt;
  }

  /** Books a success that was quick. False, and nothing is booked, where `token` is none of a closed circuit's. */
  countSuccess(token: number, now: number): boolean {
    if (token !== this.closedToken || token < 0) return false;
    this.judge.passed(now);
    return true;
  }

  /** Ms until another try makes sense; 0 when it does now. */
  retryAfterMs(now: number = this.clock.now()): number {
    if (this.current === 'closed') return this.ramp?.leftMs(now, this.#settings.rampMs) ?? 0;
    if (this.held === 'open') return this.#settings.maxOpenMs;
    if (this.current === 'open') return Math.max(0, this.openTime.until - now);
    const probes = this.trial as Trial;
    return probes.freeAt(now) > 0 ? 0 : probes.waitMs(now);
  }

  /** Ms until the upstream said that another try makes sense (Retry-After); 0 when it said nothing. */
  noticeLeftMs(now: number = this.clock.now()): number {
    return this.openTime.noticeLeftMs(now);
  }

  /** Share of the traffic that is let in: 1, or less while a circuit that has just closed ramps up. */
  admittedShare(now: number = this.clock.now()): number {
    if (this.current !== 'closed') return 0;
    return this.ramp?.share(now, this.#settings.rampMs) ?? 1;
  }

  /** Puts other settings in force; state and counts are kept. */
  update(settings: CircuitOptions, longestCallMs?: number, now: number = this.clock.now()): void {
    const next = resolveCircuit(settings);
    this.judge.update(next, now);
    this.#settings = next;
    if (longestCallMs !== undefined) this.#longestCallMs = longestCallMs;
  }

  /** Whether the circuit stays closed whatever fails, unless it is forced. One that is not closed then closes. */
  neverOpen(yes: boolean, now: number = this.clock.now()): void {
    this.neverOpens = yes;
    if (yes && this.held === null && this.current !== 'closed') this.enterClosed(now, false, 'never-open');
  }

  #tripByRule(now: number, rule: string): void {
    if (this.held !== null || this.neverOpens) return;
    if (now - this.closedAt > this.#settings.windowMs) this.openTime.openings = 0;
    this.#trip(now, now, rule);
  }

  #trip(now: number, from: number, reason: string): void {
    this.openTime.begin(from, this.#settings, this.#random);
    this.hasTripped = true;
    this.enterOpen(now, reason);
  }

  #acquireInRamp(ramp: Ramp, now: number): number {
    const share = ramp.share(now, this.#settings.rampMs);
    if (share >= 1) this.ramp = undefined;
    return ramp.admits(share) ? this.closedToken : 0;
  }

  #acquireProbe(now: number): number {
    this.#expireProbes(now);
    if (this.current === 'open') {
      if (now < this.openTime.until) return 0;
      this.trial = this.fleetTrial ?? this.ownTrial();
      this.#enter('half-open', 'due', now);
      // Whoever was told may have closed it.
      if (this.plain) return this.closedToken;
    }
    return this.trial?.grant(this.lastToken + 1, now) ? ++this.lastToken : 0;
  }

  #expireProbes(now: number): void {
    if (this.current !== 'half-open') return;
    const probes = this.trial as Trial;
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
    const probes = this.trial;
    if (probes === undefined) return false;
    const succeeded = outcome === 'success' && !this.judge.isSlow(latencyMs);
    const verdict = outcome === 'ignored' ? 'unused' : succeeded ? 'succeeded' : 'failed';
    if (!probes.settle(token, verdict, now)) return false;
    if (outcome === 'overload') this.openTime.notice(now, retryAfterMs);
    if (probes.decision === 'close') this.enterClosed(now, this.#settings.rampMs > 0, 'probes-succeeded');
    else if (probes.decision === 'reopen') this.#trip(now, now, 'probes-failed');
    return true;
  }

  protected ownTrial(): ProbeRound {
    return new ProbeRound(this.#settings.probes, this.probeLimitMs + LEASE_MARGIN_MS, this.#lostMs);
  }

  protected enterOpen(now: number, reason: string): void {
    this.closedToken = NONE;
    this.trial = undefined;
    this.#enter('open', reason, now);
  }

  protected enterClosed(now: number, ramp: boolean, reason: string): void {
    this.trial = undefined;
    this.fleetTrial = undefined;
    this.closedToken = ++this.lastToken;
    this.closedAt = now;
    this.hasTripped = false;
    this.ramp = ramp ? new Ramp(now) : undefined;
    this.judge.clear();
    this.#enter('closed', reason, now);
  }

  #enter(to: CircuitState, reason: string, now: number): void {
    const from = this.current;
    this.current = to;
    if (from !== to) this.tell(from, to, reason, now);
  }

  protected tell(from: CircuitState, to: CircuitState, reason: string, now: number): void {
    this.#onTransition?.({ from, to, reason, detail: this.detail }, now);
  }
}
