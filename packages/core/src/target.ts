import { ambientOptions } from './ambient.ts';
import {
  CircuitBreaker,
  type CircuitState,
  type CircuitTransition,
  type ForcedState,
} from './circuit/breaker.ts';
import { WaitingRoom } from './circuit/waiting-room.ts';
import type { Outcome, TargetOptions, TargetSettings } from './config/schema.ts';
import type { BaseSettings, SettingsAuthor } from './config/settings-stack.ts';
import { SettingsStack } from './config/settings-stack.ts';
import { kindOf, type TargetKind } from './config/target-name.ts';
import { ConfigError } from './errors.ts';
import { HealthMonitor } from './health/monitor.ts';
import { RetryBudget } from './limits/retry-budget.ts';
import { classifyOutbound, retryAfterOf } from './outcome.ts';
import { type LeakTicket, Permit, type PermitIssuer, RELEASED, Rejection } from './permit.ts';
import { type Operation, PolicyEnforcer, type PolicyVerdict } from './policy/enforcer.ts';
import { StaleAnswers } from './recovery/stale-answers.ts';
import { type AttemptContext, type RunHost, type RunOptions, run } from './run.ts';
import type { TargetStatus, WouldHave } from './target-status.ts';
import type { CoarseTime } from './time/coarse-time.ts';
import type { Random } from './time/random.ts';

/** `heal`: decisions are carried out. `observe`: they are only counted. `off`: there are none. */
export type Mode = 'heal' | 'observe' | 'off';

/** What a target needs of the runtime that it lives in. */
export interface TargetContext {
  readonly time: CoarseTime;
  readonly random: Random;
  readonly mode: Mode;
  /** Has the control loop watch the target. */
  activate(target: Target): void;
  /** Has `reclaim` called if `permit` is dropped while `ticket` is not released. */
  watchForLeak(permit: Permit, target: Target, ticket: LeakTicket): void;
  /** Has `serveWaiting` called each tick until it returns false. */
  attend(target: Target): void;
  transitioned(target: Target, transition: CircuitTransition): void;
  settingsChanged(target: Target, author: SettingsAuthor, change: object): void;
  incidentIdOf(target: Target): string | undefined;
  statusOf(target: Target): TargetStatus;
  reportCallback(target: string, what: string, error: unknown): void;
}

/** How far a person's decision has reached. */
export interface ForceResult {
  scope: 'process';
}

export interface ForceOptions {
  /** Why, for whoever reads the events. */
  reason?: string | undefined;
}

const REFUSED = 0;
/** Tokens of calls that the breaker has no part in. */
const UNJUDGED = -1;
const WOULD_REFUSE = -2;
const OFF = -3;

const NO_OPTIONS: RunOptions = Object.freeze({});

/** One thing that is healed: a route of this service, or something that it calls. */
export class Target implements RunHost, PermitIssuer {
  readonly name: string;
  readonly kind: TargetKind;
  readonly time: CoarseTime;
  readonly random: Random;
  readonly breaker: CircuitBreaker;
  readonly policy: PolicyEnforcer;
  readonly monitor = new HealthMonitor();
  readonly stale = new StaleAnswers();
  readonly counts = { retries: 0, fallbacks: 0, staleAnswers: 0, lateReleases: 0 };
  /** False in observe mode and on an exempt target: nothing is refused, cut short, repeated or replaced. */
  acts = true;
  /** Whether the control loop watches this target. */
  active = false;
  lastTransition: (CircuitTransition & { at: number }) | undefined;

  readonly #context: TargetContext;
  readonly #stack: SettingsStack;
  readonly #observing: boolean;
  readonly #off: boolean;
  #watchedTick = -1;
  #idleSince = 0;
  #settings: TargetSettings;
  #plain = true;
  #slowCallMs = Number.POSITIVE_INFINITY;
  #budget: RetryBudget | undefined;
  #waitingRoom: WaitingRoom | undefined;
  #wouldHave: WouldHave | undefined;
  #denial: PolicyVerdict | undefined;

  constructor(name: string, base: BaseSettings, context: TargetContext) {
    this.name = name;
    this.kind = kindOf(name);
    this.time = context.time;
    this.random = context.random;
    this.#context = context;
    this.#observing = context.mode === 'observe';
    this.#off = context.mode === 'off';
    this.#stack = new SettingsStack(name, base);
    this.#settings = base.settings;
    this.breaker = new CircuitBreaker(base.settings.circuit, {
      clock: context.time.clock,
      random: context.random,
      longestCallMs: base.settings.timeoutMs,
      onTransition: (transition) => this.#transitioned(transition),
    });
    this.policy = new PolicyEnforcer(base.settings.policy, context.time.now);
    this.#apply(base.settings);
  }

  /** The settings in force. */
  get settings(): TargetSettings {
    return this.#settings;
  }

  /** What bounds the repeats of `run`; undefined where none are allowed. */
  get budget(): RetryBudget | undefined {
    const { retry } = this.#settings;
    if (retry.maxRetries === 0) return undefined;
    this.#budget ??= new RetryBudget(retry, this.time.clock);
    return this.#budget;
  }

  /** Observe mode's record; undefined while there is none. */
  get wouldHave(): Readonly<WouldHave> | undefined {
    return this.#wouldHave;
  }

  get settingsVersion(): number {
    return this.#stack.version;
  }

  get incidentId(): string | undefined {
    return this.#context.incidentIdOf(this);
  }

  /** The state of the circuit in force. */
  get state(): CircuitState {
    return this.breaker.stateAt(this.time.read());
  }

  status(): TargetStatus {
    return this.#context.statusOf(this);
  }

  /**
   * Asks to make one call. A permit must go back with `release`, exactly once, on every way out; a rejection
   * is a value that says why and when to try again.
   */
  acquire(operation: Operation = NO_OPTIONS): Permit | Rejection {
    const token = this.admit(operation);
    if (token === REFUSED) return this.rejection();
    const { time } = this;
    const weight = time.sampleWeight();
    const permit = new Permit(this, token, weight === 0 ? time.now : time.clock.now(), weight);
    if (time.ticks !== this.#watchedTick) this.#watch(permit);
    return permit;
  }

  /** @internal A token to make a permit of, or 0: refused, and `rejection()` says why. */
  admit(operation: Operation): number {
    if (this.#off) return OFF;
    const now = this.time.enter();
    if (!this.active) this.#context.activate(this);
    const token = this.#plain ? this.breaker.tryAcquire(now) : this.#admitGuarded(operation, now);
    if (token === REFUSED) this.monitor.refused++;
    else this.monitor.inFlight++;
    return token;
  }

  /** @internal Why `admit` has just refused. */
  rejection(): Rejection {
    const denial = this.#denial;
    if (denial?.kind === 'deny') {
      this.#denial = undefined;
      const { reason, detail, retryAfterMs } = denial;
      return new Rejection(this, reason, retryAfterMs, detail, this.#settings.policy.denyStatus);
    }
    const waitMs = this.breaker.retryAfterMs(this.time.now);
    return new Rejection(this, 'circuit-open', waitMs, 'the circuit is open', 503);
  }

  /**
   * Gives a permit back with what the call came to. A second release of it is ignored and counted.
   *
   * @param target where the call is booked, if another target proved to be the right one
   */
  release(permit: Permit, outcome: Outcome, target: Target = this): void {
    const { hold } = permit;
    if (hold === RELEASED) {
      this.counts.lateReleases++;
      return;
    }
    permit.hold = RELEASED;
    if (hold !== undefined) hold.released = true;
    if (permit.token === OFF) return;
    const owner = permit.target as Target;
    owner.monitor.inFlight--;
    const now = this.time.current();
    const latencyMs = permit.latencyMs >= 0 ? permit.latencyMs : this.#elapsed(permit, now);
    if (target !== owner) {
      owner.breaker.record(permit.token, 'ignored', 0, now);
      target.#witness(permit, outcome, latencyMs, now);
      return;
    }
    target.#book(permit.token, permit, outcome, latencyMs, now);
  }

  /** Notes that the answer has begun: latency ends here, the call goes on. */
  markLatency(permit: Permit): void {
    if (permit.latencyMs < 0) permit.latencyMs = this.#elapsed(permit, this.time.current());
  }

  /**
   * Gives back the permit of a call whose caller gave up. That says nothing, unless it was out of patience
   * with reason: after `timeoutMs` it is a failure, after `slowCallMs` a slow call.
   *
   * @param hangMs what counts as a hang where no `timeoutMs` is set
   */
  abandon(permit: Permit, reason?: unknown, hangMs = Number.POSITIVE_INFINITY): void {
    const elapsed = permit.latencyMs >= 0 ? 0 : this.#elapsed(permit, this.time.current());
    const { timeoutMs = hangMs, circuit } = this.#settings;
    const timedOut = (reason as Error | undefined)?.name === 'TimeoutError';
    if (timedOut || elapsed >= timeoutMs) this.release(permit, 'failure');
    else if (circuit.slowCallMs !== undefined && elapsed > circuit.slowCallMs)
      this.release(permit, 'success');
    else this.release(permit, 'ignored');
  }

  /**
   * Calls `fn` under this target's protection: circuit, policy, time limits, repeats of what is safe to
   * repeat, and the fallback.
   *
   * @throws CircuitOpenError, OverloadError, RateLimitError, PolicyError when refused; DeadlineError when out
   * of time; else what `fn` throws. When repeats run out, the last real answer is returned.
   */
  run<T>(fn: (context: AttemptContext) => T | PromiseLike<T>, options?: RunOptions<T>): Promise<T> {
    const ambient = ambientOptions();
    const given = (options ?? NO_OPTIONS) as RunOptions;
    return run(this, fn, ambient === undefined ? given : { ...ambient, ...given }) as Promise<T>;
  }

  /** `fn` with this target's protection around it: same arguments, same result, as a promise. */
  wrap<A extends unknown[], R>(
    fn: (...args: A) => R,
    options: RunOptions<Awaited<R>> = NO_OPTIONS as RunOptions<Awaited<R>>,
  ): (...args: A) => Promise<Awaited<R>> {
    return (...args) => this.run<Awaited<R>>(() => fn(...args) as Awaited<R>, options);
  }

  /** Resolves when a call will be admitted: a worker may wait instead of failing its jobs. */
  ready({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    if (!this.acts || (this.breaker.plain && this.policy.admitsAll)) return Promise.resolve();
    this.#waitingRoom ??= new WaitingRoom(this.breaker);
    const waiting = this.#waitingRoom.wait(signal);
    this.serveWaiting(this.time.read());
    this.#context.attend(this);
    return waiting;
  }

  /** @internal Lets waiting callers go as far as the circuit admits them; false when none is left. */
  serveWaiting(now: number): boolean {
    this.#waitingRoom?.serve(now);
    this.#replan();
    return this.#waitingRoom?.busy ?? false;
  }

  /** Feeds a signal of the user's own, such as a queue's depth, to the target's health. */
  record(signal: string, value: number): void {
    this.monitor.signal(signal, value);
  }

  /** Holds the circuit open or closed, at once and whatever happens; `null` gives it back. */
  async force(state: ForcedState, { reason }: ForceOptions = {}): Promise<ForceResult> {
    if (state !== null && state !== 'open' && state !== 'closed') {
      throw new ConfigError('force', state, "one of 'open', 'closed', null");
    }
    this.breaker.force(state, this.time.read(), reason);
    return { scope: 'process' };
  }

  /** Changes settings at run time. State and counts are kept. @throws ConfigError */
  update(options: TargetOptions): void {
    if (this.#stack.update(options)) this.#settingsChanged('user', options);
  }

  /** @internal Settings that stand beside the route or the call. */
  setRouteOptions(options: TargetOptions): void {
    if (this.#stack.setRoute(options)) this.#settingsChanged('user', options);
  }

  /** @internal What a recovery level changes for a while; undefined takes it back. */
  overlay(key: string, options: TargetOptions | undefined): void {
    if (this.#stack.overlay(key, options)) this.#settingsChanged('recovery', { [key]: options ?? null });
  }

  /**
   * What a call came to, by the target's classifier or the default one: for those who acquire and release by
   * themselves. With an error the call threw it; else it returned `result`.
   */
  classify(result: unknown, error?: unknown): Outcome {
    return error === undefined ? this.outcomeOf(false, result) : this.outcomeOf(true, error);
  }

  /** @internal */
  outcomeOf(threw: boolean, value: unknown): Outcome {
    const { classify } = this.#settings;
    if (classify === undefined) return classifyOutbound(threw, value);
    try {
      return classify(threw ? undefined : value, threw ? value : undefined);
    } catch (error) {
      this.reportCallback('classify', error);
      return classifyOutbound(threw, value);
    }
  }

  retryAfterMs(threw: boolean, value: unknown): number {
    return retryAfterOf(threw, value, this.time.clock.wall());
  }

  reportCallback(what: string, error: unknown): void {
    this.#context.reportCallback(this.name, what, error);
  }

  /** @internal True when nothing would be lost by forgetting the target. */
  isDisposable(now: number, idleMs: number): boolean {
    const { breaker, monitor } = this;
    if (this.active) this.#idleSince = now;
    const idle = monitor.inFlight === 0 && now - this.#idleSince > idleMs && !this.#waitingRoom?.busy;
    return (
      idle &&
      breaker.plain &&
      breaker.forced === null &&
      !this.#stack.updated &&
      this.incidentId === undefined
    );
  }

  #admitGuarded(operation: Operation, now: number): number {
    if (this.#settings.exempt) return UNJUDGED;
    if (this.#observing) return this.breaker.tryAcquire(now) || WOULD_REFUSE;
    const verdict = this.policy.check(operation, this.monitor.inFlight, now);
    if (verdict.kind === 'deny') {
      this.#denial = verdict;
      return REFUSED;
    }
    return this.#waitingRoom?.take() || this.breaker.tryAcquire(now);
  }

  #book(token: number, permit: Permit, outcome: Outcome, latencyMs: number, now: number): void {
    const slow = latencyMs > this.#slowCallMs;
    this.monitor.record(outcome, latencyMs, slow, permit.weight, now);
    if (this.#observing && latencyMs > (this.#settings.timeoutMs ?? Number.POSITIVE_INFINITY)) {
      this.#recordWouldHave().timedOut++;
    }
    if (token < 0) {
      if (token === WOULD_REFUSE) this.#recordWouldHave()[outcome]++;
      return;
    }
    const stalled = permit.start < this.time.stallEnd && (outcome !== 'success' || slow);
    this.breaker.record(token, stalled ? 'ignored' : outcome, latencyMs, now, permit.retryAfterMs);
  }

  /** Books a call that another target had let in. */
  #witness(permit: Permit, outcome: Outcome, latencyMs: number, now: number): void {
    if (!this.active) this.#context.activate(this);
    const token = this.#settings.exempt ? UNJUDGED : this.breaker.tokenSince(permit.start);
    this.#book(token, permit, outcome, latencyMs, now);
  }

  /** One permit a tick is watched: a leak that happens again and again is found, at no cost to the others. */
  #watch(permit: Permit): void {
    this.#watchedTick = this.time.ticks;
    const ticket = { token: permit.token, released: false };
    permit.hold = ticket;
    this.#context.watchForLeak(permit, this, ticket);
  }

  /** @internal A watched permit was dropped: its place is given back. */
  reclaim({ token }: LeakTicket): void {
    this.monitor.inFlight--;
    this.breaker.record(token, 'ignored', 0, this.time.read());
  }

  #recordWouldHave(): WouldHave {
    this.#wouldHave ??= { success: 0, failure: 0, overload: 0, ignored: 0, timedOut: 0 };
    return this.#wouldHave;
  }

  #elapsed(permit: Permit, now: number): number {
    if (permit.weight === 0) return now - permit.start;
    const end = this.time.clock.now();
    this.time.noticeStall(end);
    return end - permit.start;
  }

  #settingsChanged(author: SettingsAuthor, change: object): void {
    this.#apply(this.#stack.settings);
    this.#context.settingsChanged(this, author, change);
  }

  #apply(settings: TargetSettings): void {
    const now = this.time.current();
    this.#settings = settings;
    this.#slowCallMs = settings.circuit.slowCallMs ?? Number.POSITIVE_INFINITY;
    this.breaker.update(settings.circuit, settings.timeoutMs, now);
    this.policy.update(settings.policy, now);
    this.monitor.concurrency = settings.policy.concurrency;
    this.#budget?.update(settings.retry);
    this.#replan();
  }

  /** Whether the breaker alone decides on admission. */
  #replan(): void {
    this.acts = this.#context.mode === 'heal' && !this.#settings.exempt;
    this.#plain = this.acts && this.policy.admitsAll && !this.#waitingRoom?.busy;
  }

  #transitioned(transition: CircuitTransition): void {
    this.lastTransition = { ...transition, at: this.time.clock.wall() };
    this.#context.transitioned(this, transition);
  }
}
