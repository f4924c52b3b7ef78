import { ambient } from './ambient.ts';
import type { CircuitSnapshot } from './circuit/breaker.ts';
import type { CircuitState, CircuitTransition } from './circuit/circuit-machine.ts';
import type { ForcedState, Outcome, Priority, TargetOptions, TargetUpdate } from './config/schema.ts';
import { type SettingsAuthor, type SettingsChange, SettingsHistory } from './config/settings-history.ts';
import type { BaseSettings } from './config/settings-stack.ts';
import { SettingsStack } from './config/settings-stack.ts';
import type { TierName } from './config/tier-names.ts';
import { ClosedError, ConfigError } from './errors.ts';
import type { FleetForce } from './fleet/decisions.ts';
import { Gate } from './gate.ts';
import type { CallGraph } from './health/call-graph.ts';
import { type HostMove, HostSet } from './hosts/host-set.ts';
import type { LedgerContext } from './ledger.ts';
import { RetryBudget } from './limits/retry-budget.ts';
import { classifyOutbound, isOutcome, retryAfterOf } from './outcome.ts';
import type { LeakTicket, Permit } from './permit.ts';
import { hostOf, sendElsewhere } from './permit-host.ts';
import type { Operation } from './policy/enforcer.ts';
import { Connections } from './recovery/connections.ts';
import { StrategyEffects } from './recovery/effects.ts';
import { StaleAnswers } from './recovery/stale-answers.ts';
import type { Callee, RequestScope } from './request-scope.ts';
import { run } from './run.ts';
import type { RunHost } from './run-end.ts';
import { type AttemptContext, layOptions, NO_OPTIONS, type RunOptions } from './run-options.ts';
import type { TargetStatus } from './target-status.ts';

/** What a target needs of the runtime that it lives in. */
export interface TargetContext extends LedgerContext {
  readonly graph: CallGraph;
  /** Takes the target back into the runtime, should it have been dropped. */
  readopt(target: Target): void;
  /** True once the runtime was closed. */
  readonly closing: boolean;
  /** Has the control loop watch the target. */
  activate(target: Target): void;
  /** Has `reclaim` called if `permit` is dropped while `ticket` is not released. */
  watchForLeak(permit: Permit, target: Target, ticket: LeakTicket): void;
  /** Has `serveWaiting` called each tick until it returns false. */
  attend(target: Target): void;
  transitioned(target: Target, transition: CircuitTransition): void;
  hostMoved(target: Target, move: HostMove): void;
  settingsChanged(target: Target, change: SettingsChange): void;
  /** Tells the fleet of a person's decision; undefined where the target is not shared. */
  forceInFleet(target: Target, state: ForcedState, before: CircuitSnapshot): Promise<FleetForce> | undefined;
  incidentIdOf(target: Target): string | undefined;
  statusOf(target: Target): TargetStatus;
  reportCallback(target: string, what: string, error: unknown): void;
}

/** How far a person's decision has reached. */
export interface ForceResult {
  /** `process`: this one alone, since the target is not shared or the store is away. */
  scope: 'process' | 'fleet';
  /** Somebody else had decided in between, and that is what counts: `state` is in force. */
  conflict?: { state: ForcedState };
}

/** Of what a person decides. */
export interface DecisionOptions {
  /** Why, for whoever reads the events and the history. */
  readonly reason?: string | undefined;
}

/** The changes of a target's settings. */
export interface TargetHistory {
  /** The oldest first; at most a hundred. */
  readonly changes: readonly SettingsChange[];
  /**
   * Puts in force what had been updated while `version` was, and the tier that the target had been moved to: a version
   * of its own. What is written beside routes, and what a recovery lays over the settings for a while, stay.
   *
   * @throws ConfigError where that version is not kept any more
   */
  rollback(version: number, options?: DecisionOptions): void;
}

const MOST_SIGNALS = 100;

/** One thing that is healed: a route of this service, or something that it calls. */
export class Target extends Gate implements RunHost {
  readonly stale = new StaleAnswers();
  /** @internal Connections to it, where an adapter can make them anew. */
  readonly connections = new Connections();
  /** @internal What is known of the recovery strategies here. */
  readonly effects = new StrategyEffects();
  lastTransition: (CircuitTransition & { at: number }) | undefined = undefined;

  readonly #context: TargetContext;
  readonly #stack: SettingsStack;
  #budget: RetryBudget | undefined;
  #history: SettingsHistory | undefined;
  #hosts: HostSet | undefined;

  constructor(name: string, base: BaseSettings, context: TargetContext) {
    super(name, base.settings, context);
    this.#context = context;
    this.#stack = new SettingsStack(name, base);
    this.#setHosts();
  }

  /** What bounds the repeats of `run`; undefined where none are allowed. */
  get budget(): RetryBudget | undefined {
    const { retry } = this.settings;
    if (retry.maxRetries === 0) return undefined;
    this.#budget ??= new RetryBudget(retry, this.time.clock);
    return this.#budget;
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
   * Calls `fn` under this target's protection: circuit, policy, time limits, repeats of what is safe to
   * repeat, and the fallback.
   *
   * @throws CircuitOpenError, OverloadError, RateLimitError, PolicyError when refused; DeadlineError when out
   * of time; ConfigError for a wrong option; else what `fn` throws. When repeats run out, the last real answer
   * is returned.
   */
  run<T>(fn: (context: AttemptContext) => T | PromiseLike<T>, options?: RunOptions<T>): Promise<T> {
    const around = ambient();
    const given = (options ?? NO_OPTIONS) as RunOptions;
    if (around === undefined) return run(this, fn, given, undefined) as Promise<T>;
    const laid = around.options === undefined ? given : layOptions(around.options, given);
    const priority = this.priorityWithin(laid, around.scope);
    const whole = priority === laid.priority ? laid : { ...laid, priority };
    return run(this, fn, whole, around.scope) as Promise<T>;
  }

  /** `fn` with this target's protection around it: same arguments, same result, as a promise. */
  wrap<A extends unknown[], R>(
    fn: (...args: A) => R,
    options: RunOptions<Awaited<R>> = NO_OPTIONS as RunOptions<Awaited<R>>,
  ): (...args: A) => Promise<Awaited<R>> {
    if (typeof fn !== 'function') throw new ConfigError('wrap', fn, 'a function');
    return (...args) => this.run<Awaited<R>>(() => fn(...args) as Awaited<R>, options);
  }

  /**
   * Feeds a signal of the user's own, such as a queue's depth, to the target's health. A target keeps a
   * hundred of them; names past that are not taken up.
   *
   * @throws ConfigError when the value is no number
   */
  record(signal: string, value: number): void {
    if (typeof signal !== 'string' || signal === '') throw new ConfigError('record', signal, 'a name');
    if (!Number.isFinite(value)) throw new ConfigError(`record.${signal}`, value, 'a number');
    this.#context.readopt(this);
    const { signals } = this.monitor;
    if (Object.hasOwn(signals, signal) || Object.keys(signals).length < MOST_SIGNALS) {
      this.monitor.signal(signal, value);
    } else {
      this.reportCallback('record', new RangeError(`more than ${MOST_SIGNALS} names`));
    }
  }

  /**
   * Which of the target's `hosts` a call is to go to that was let in by `acquire`: the host is chosen when it is first
   * asked for, and judged by what the permit is released with. Undefined where the target has no hosts.
   *
   * @param operation what is known of the call: a host that comes back is tried with those that may be repeated
   */
  hostOf(permit: Permit, operation: Operation = NO_OPTIONS): string | undefined {
    return this.#hosts && hostOf(this.#hosts, permit, this.policy.mayRepeat(operation), this.time.current());
  }

  /** @internal Has the attempt of `next` go to another host than the one before it. */
  sendElsewhere(next: Permit, failed: Permit): void {
    if (this.#hosts !== undefined) sendElsewhere(next, failed);
  }

  /** @internal Undefined where there is but one. */
  get hosts(): HostSet | undefined {
    return this.#hosts;
  }

  /** True where replicas share the circuit, if there is a fleet. */
  get shared(): boolean {
    return this.settings.fleet ?? this.kind === 'upstream';
  }

  /** Holds the circuit open or closed, here at once and then in the fleet; `null` gives it back. */
  async force(state: ForcedState, options?: DecisionOptions): Promise<ForceResult> {
    const reason = reasonOf(options, 'force');
    if (state !== null && state !== 'open' && state !== 'closed') {
      throw new ConfigError('force', state, "one of 'open', 'closed', null");
    }
    this.#context.readopt(this);
    const before = this.breaker.snapshot();
    this.breaker.force(state, this.time.read(), reason);
    const told = await this.#context.forceInFleet(this, state, before);
    if (!told?.reached) return { scope: 'process' };
    const { conflict } = told;
    return conflict === undefined ? { scope: 'fleet' } : { scope: 'fleet', conflict: { state: conflict } };
  }

  /**
   * Changes settings at run time; null takes an earlier change back. State and counts are kept.
   *
   * @throws ConfigError for a wrong setting
   */
  update(options: TargetUpdate, decision?: DecisionOptions): void {
    const reason = reasonOf(decision, 'update');
    this.#context.readopt(this);
    if (this.#stack.update(options)) this.#settingsChanged('user', options, reason);
  }

  /** Who has changed the settings, what and why: the last hundred changes. */
  history(): TargetHistory {
    return {
      changes: this.#history?.changes ?? [],
      rollback: (version, options) => this.#rollBack(version, reasonOf(options, 'rollback')),
    };
  }

  /** @internal Settings that stand beside the route or the call. */
  setRouteOptions(options: TargetOptions): void {
    if (this.#stack.setRoute(options))
      this.#settingsChanged('user', options, 'written beside the route or the call');
  }

  /** @internal What a recovery level changes for a while; undefined takes it back. */
  overlay(key: string, options: TargetOptions | undefined): void {
    if (!this.#stack.overlay(key, options)) return;
    const what = options === undefined ? `${key} is undone` : key;
    const incident = this.incidentId === undefined ? '' : `, incident ${this.incidentId}`;
    this.#settingsChanged('recovery', { [key]: options ?? null }, what + incident);
  }

  /** @internal Takes back whatever recovery has laid over the settings. */
  clearOverlays(): void {
    for (const key of this.#stack.overlays) this.overlay(key, undefined);
  }

  /** @internal The controller moves the target to another tier within its range. */
  moveTo(tier: TierName, reason: string): void {
    if (this.#stack.moveTo(tier)) this.#settingsChanged('controller', { tier }, reason);
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
    return this.judged(threw ? undefined : value, threw ? value : undefined, classifyOutbound(threw, value));
  }

  /** @internal The classifier's word; `otherwise` where there is none, or where it throws or says no outcome. */
  judged(result: unknown, error: unknown, otherwise: Outcome): Outcome {
    const { classify } = this.settings;
    if (classify === undefined || this.off) return otherwise;
    try {
      const outcome: unknown = classify(result, error);
      if (isOutcome(outcome)) return outcome;
      if (outcome instanceof Promise) outcome.catch(() => undefined);
      throw new TypeError(`it gave ${typeof outcome === 'string' ? outcome : typeof outcome}, no outcome`);
    } catch (thrown) {
      this.reportCallback('classify', thrown);
      return otherwise;
    }
  }

  override isDisposable(now: number, idleMs: number): boolean {
    return super.isDisposable(now, idleMs) && this.#stack.updates === undefined;
  }

  medianMs(now: number): number {
    return this.monitor.latency.quantiles([0.5], now)[0] ?? 0;
  }

  retryAfterMs(threw: boolean, value: unknown): number {
    return retryAfterOf(threw, value, this.time.clock.wall());
  }

  /**
   * @internal How much a call matters: what it says itself, what is said of its target, what is said of the request
   * that it is made for. Undefined: nobody says anything.
   */
  priorityWithin(operation: Operation | undefined, scope: RequestScope | undefined): Priority | undefined {
    return operation?.priority ?? this.settings.priority ?? scope?.priority;
  }

  /** @internal Headers for an upstream that has `leftMs` to answer; undefined where it is told nothing. */
  headersFor(leftMs: number, priority: Priority | undefined): Readonly<Record<string, string>> | undefined {
    if (!this.acts || !this.settings.propagate) return undefined;
    return this.#context.propagation.headersFor(leftMs, priority);
  }

  reportCallback(what: string, error: unknown): void {
    this.#context.reportCallback(this.name, what, error);
  }

  protected activate(): void {
    this.#context.activate(this);
  }

  protected watchForLeak(permit: Permit, ticket: LeakTicket): void {
    this.#context.watchForLeak(permit, this, ticket);
  }

  protected learned(
    called: readonly Callee[],
    bad: boolean,
    cause: Callee | undefined,
    weight: number,
    now: number,
  ): void {
    const names = called.map(({ name }) => name);
    this.#context.graph.note(this.name, names, bad, cause?.name, now, Math.max(1, weight));
  }

  protected checkMayWait(): void {
    if (this.#context.closing) throw new ClosedError('the runtime was closed', { target: this.name });
  }

  protected attend(): void {
    this.#context.attend(this);
  }

  protected transitioned(transition: CircuitTransition): void {
    this.lastTransition = { ...transition, at: this.time.clock.wall() };
    this.#context.transitioned(this, transition);
  }

  #rollBack(version: number, reason: string | undefined): void {
    this.#context.readopt(this);
    const { updates, tier } = (this.#history ?? new SettingsHistory()).at(version);
    const why = `back to version ${version}${reason === undefined ? '' : `: ${reason}`}`;
    if (this.#stack.restore(updates, tier)) this.#settingsChanged('user', updates ?? {}, why);
  }

  #setHosts(): void {
    const { hosts = [], outlier } = this.settings;
    const { clock } = this.time;
    if (hosts.length === 0) this.#hosts = undefined;
    else if (this.#hosts !== undefined) this.#hosts.update(hosts, outlier, clock.now());
    else {
      const onMove = (move: HostMove) => this.#context.hostMoved(this, move);
      this.#hosts = new HostSet(hosts, outlier, { clock, random: this.random, onMove });
    }
    if (this.#hosts !== undefined) this.#hosts.acts = this.acts;
  }

  #settingsChanged(author: SettingsAuthor, change: object, reason: string | undefined): void {
    const at = this.time.clock.wall();
    const noted: SettingsChange = { version: this.#stack.version, at, author, reason, change };
    this.#history ??= new SettingsHistory();
    this.#history.note(noted, this.#stack);
    this.apply(this.#stack.settings);
    this.#budget?.update(this.settings.retry);
    this.#setHosts();
    this.#context.settingsChanged(this, noted);
  }
}

function reasonOf(options: DecisionOptions | undefined, decision: string): string | undefined {
  if (options === undefined) return undefined;
  if (typeof options !== 'object' || options === null) throw new ConfigError(decision, options, 'an object');
  const { reason } = options;
  if (reason !== undefined && typeof reason !== 'string') {
    throw new ConfigError(`${decision}.reason`, reason, 'a text');
  }
  return reason;
}
