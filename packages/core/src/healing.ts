import type { z } from 'zod';
import { withOptions } from './ambient.ts';
import type { CircuitTransition } from './circuit/circuit-machine.ts';
import { runtimeSchema } from './config/runtime-schema.ts';
import type { TargetOptions } from './config/schema.ts';
import { checkTargetOptions } from './config/settings.ts';
import type { SettingsChange } from './config/settings-history.ts';
import type { TierName } from './config/tier-names.ts';
import { validate } from './config/validate.ts';
import { ClosedError, ConfigError } from './errors.ts';
import { Fleet, type FleetStatus } from './fleet/fleet.ts';
import { openStore } from './fleet/open-store.ts';
import { CallGraph } from './health/call-graph.ts';
import { combineHealth, degrade, type HealthStatus } from './health/status.ts';
import type { HostMove } from './hosts/host-set.ts';
import type { Mode } from './ledger.ts';
import type { LeakTicket } from './permit.ts';
import { Propagation } from './propagation.ts';
import { RecoveryRegistry } from './recovery/registry.ts';
import { isolate } from './recovery/strategies/isolate.ts';
import { findWrongOption, type RunOptions } from './run-options.ts';
import type { SelfHealing } from './self-healing.ts';
import type { Store } from './store/store.ts';
import type { Target, TargetContext } from './target.ts';
import { readRules, TargetRegistry } from './target-registry.ts';
import { type TargetStatus, targetStatus } from './target-status.ts';
import { type CallbackErrorReport, CallbackErrors } from './telemetry/callback-errors.ts';
import { Coverage, type CoverageReport } from './telemetry/coverage.ts';
import {
  EVENT_NAMES,
  EventHub,
  type HealingEventName,
  type HealingEvents,
  isEventName,
} from './telemetry/events.ts';
import { IncidentDesk } from './telemetry/incident-desk.ts';
import { IncidentLog, type IncidentQuery, type IncidentReport } from './telemetry/incidents.ts';
import type { HealingParts, RootCause } from './tiers/basic.ts';
import { ControlLoop } from './tiers/control-loop.ts';
import { makeTier } from './tiers/create.ts';
import { type TierReport, TierUsage } from './tiers/usage.ts';
import { systemClock } from './time/clock.ts';
import { CoarseTime } from './time/coarse-time.ts';
import { systemRandom } from './time/random.ts';

/** What `createHealing` takes. Every setting has a default: `docs/settings.md`. */
export type HealingOptions = z.input<typeof runtimeSchema>;

/** The health of the process and of each target. */
export interface RuntimeStatus extends HealthStatus {
  readonly mode: Mode;
  readonly targets: Readonly<Record<string, TargetStatus>>;
  /** What each tier is used for, costs and achieves. */
  readonly tiers: Readonly<Record<string, TierReport>>;
  readonly coverage: CoverageReport;
  /** Undefined where replicas share nothing. */
  readonly fleet: FleetStatus | undefined;
  readonly callbackErrors: readonly CallbackErrorReport[];
  /** How often the event loop was found blocked for more than 100 ms. */
  readonly stalls: number;
}

export interface CloseOptions {
  /** How long calls in flight are waited for, in ms. Default: 0. */
  drainMs?: number | undefined;
}

type Wrapped<F extends (...args: never[]) => unknown> = (
  ...args: Parameters<F>
) => Promise<Awaited<ReturnType<F>>>;

/** Options of `wrap`: those of the target, and those of each call. */
export type WrapOptions<T> = TargetOptions & Omit<RunOptions<T>, 'signal'>;

const SWEEP_MS = 60_000;
const DRAIN_CHECK_MS = 20;

/** What heals one process: its targets, the loop that watches them, and what is told of them. */
export class Healing {
  readonly mode: Mode;
  readonly time: CoarseTime;
  /** @internal */
  readonly propagation: Propagation;
  /** Recovery strategies, for all targets. */
  readonly recovery = new RecoveryRegistry();
  readonly coverage = new Coverage();

  /** @internal Whether anything is called from here: until then no request is traced. */
  callsOut = false;
  readonly #graph = new CallGraph();
  readonly #targets: TargetRegistry;
  readonly #loop: ControlLoop;
  readonly #incidents: IncidentLog;
  readonly #desk: IncidentDesk;
  readonly #usage = new TierUsage();
  readonly #callbackErrors = new CallbackErrors();
  readonly #events = new EventHub((error) => this.reportCallback('runtime', 'listener', error));
  readonly #notify: HealingOptions['notify'];
  readonly #waiting = new Set<Target>();
  readonly #onClose: (() => void)[] = [];
  readonly #leaks: FinalizationRegistry<{ target: Target; ticket: LeakTicket }>;
  readonly #fleet: Fleet | undefined;
  #closing = false;
  #nextSweep = 0;

  /** @throws ConfigError for a wrong setting */
  constructor(options: HealingOptions) {
    const settings = validate(runtimeSchema, options, '');
    const { clock = systemClock, random = systemRandom } = settings;
    const disabled = settings.disabled ?? process.env.HEALIX_DISABLED === '1';
    this.mode = disabled ? 'off' : settings.mode;
    const onError = (error: unknown) => this.reportCallback('runtime', 'deadline', error);
    this.time = new CoarseTime(clock, random, onError, settings.exactCallsPerTick);
    this.propagation = new Propagation(settings.deadlineHeader, settings.priorityHeader);
    this.#notify = settings.notify;
    this.#incidents = new IncidentLog(random);
    this.#desk = new IncidentDesk(this.#incidents, this.#events);
    this.#leaks = new FinalizationRegistry(({ target, ticket }) => {
      if (ticket.released) return;
      this.coverage.permitsLeaked++;
      target.reclaim(ticket);
    });
    this.#loop = new ControlLoop({
      incidents: this.#incidents,
      usage: this.#usage,
      now: () => clock.now(),
      move: (target, tier, reason) => {
        if (this.mode === 'heal') target.moveTo(tier, reason);
      },
      makeHealing: (target) => this.#makeHealing(target),
      onError: (target, error) => this.reportCallback(target.name, 'control loop', error),
    });
    this.#targets = new TargetRegistry(readRules(options), this.#targetContext(), settings.maxTargets);
    this.time.onTick((now) => this.#tick(now));
    const shared = openStore(settings, this.mode);
    this.#fleet = shared && this.#makeFleet(shared.store, shared.service);
  }

  /** True when the emergency switch is set: everything passes through untouched. */
  get disabled(): boolean {
    return this.mode === 'off';
  }

  /** True once `close` was called: readiness has fallen, calls still go through. */
  get closing(): boolean {
    return this.#closing;
  }

  /**
   * The target of that name, made on first use. Names that begin with `route:` are routes of this service, all
   * others are things that it calls.
   *
   * @param options settings that stand beside the route or the call: over those of its name, under `update`.
   * They are not taken up where `maxTargets` has this name share a target with others.
   * @throws ConfigError for a wrong setting
   */
  target(name: string, options?: TargetOptions): Target {
    if (typeof name !== 'string' || name === '') throw new ConfigError('target', name, 'a name');
    const target = this.#targets.get(name);
    if (options === undefined) return target;
    if (target.name === name) target.setRouteOptions(options);
    else checkTargetOptions(options, name);
    return target;
  }

  /**
   * `fn` under the protection of the target `name`: same arguments, same result, as a promise. Of an overloaded
   * function TypeScript sees the last signature; a method is passed bound, or in an arrow function. Settings are the
   * name's: where several functions share it, the last word on each setting counts for all of them.
   *
   * @throws ConfigError for a wrong setting
   */
  wrap<F extends (...args: never[]) => unknown>(
    name: string,
    fn: F,
    options: WrapOptions<Awaited<ReturnType<F>>> = {},
  ): Wrapped<F> {
    if (typeof fn !== 'function') throw new ConfigError('wrap', fn, 'a function');
    const { idempotent, fallback, stale, method, idempotencyKey, ...settings } = options;
    const call = { idempotent, fallback, stale, method, idempotencyKey } as RunOptions;
    const wrong = findWrongOption(call);
    if (wrong !== undefined) throw wrong;
    const target = this.target(name, Object.keys(settings).length === 0 ? undefined : settings);
    return ((...args: never[]) => target.run(() => fn(...args), call)) as Wrapped<F>;
  }

  /** Calls `fn`; healed calls within it, however deep, have `options` where they say nothing themselves. */
  with<T>(options: RunOptions, fn: () => T): T {
    if (typeof fn !== 'function') throw new ConfigError('with', fn, 'a function');
    const wrong = findWrongOption(options);
    if (wrong !== undefined) throw wrong;
    return withOptions(options, fn);
  }

  /** Calls `listener` with each event of that name. One that throws is counted and told of once. */
  on<N extends HealingEventName>(name: N, listener: (event: HealingEvents[N]) => void): () => void {
    if (!isEventName(name)) throw new ConfigError('on', name, `one of ${EVENT_NAMES.join(', ')}`);
    if (typeof listener !== 'function') throw new ConfigError('listener', listener, 'a function');
    return this.#events.on(name, listener);
  }

  status(): RuntimeStatus {
    const targets: [string, TargetStatus][] = [];
    const inTiers = new Map<TierName, number>();
    let lateReleases = 0;
    for (const target of this.#targets) {
      targets.push([target.name, this.statusOf(target)]);
      inTiers.set(target.settings.tier, (inTiers.get(target.settings.tier) ?? 0) + 1);
      lateReleases += target.counts.lateReleases;
    }
    return {
      ...this.#withFleet(combineHealth(targets)),
      mode: this.mode,
      targets: Object.fromEntries(targets),
      tiers: this.#usage.report(inTiers),
      coverage: this.coverage.report(lateReleases),
      fleet: this.#fleet?.status,
      callbackErrors: this.#callbackErrors.report(),
      stalls: this.time.stalls,
    };
  }

  /** The incidents under way and the last ones that ended, the latest first. */
  incidents(query: IncidentQuery = {}): IncidentReport[] {
    return this.#incidents.query(query);
  }

  /** Everything that `status()` counts, as Prometheus text (version 0.0.4). */
  async metrics(): Promise<string> {
    const { renderMetrics } = await import('./metrics.ts');
    const { targets, fleet } = this.status();
    return renderMetrics(targets, fleet);
  }

  /** @internal A callback of the user's threw: counted, told of once, and no harm to anyone. */
  reportCallback(target: string, callback: string, error: unknown): void {
    this.#callbackErrors.note(target, callback, error);
  }

  /** @internal */
  onClose(callback: () => void): void {
    this.#onClose.push(callback);
  }

  /**
   * Ends healing. Readiness falls at once, and whoever waits in `ready` is sent away; calls in flight are
   * waited for, at most `drainMs`. Calls that still come go through as before.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    const drainMs = options?.drainMs ?? 0;
    if (!(drainMs >= 0)) throw new ConfigError('close.drainMs', drainMs, 'a number from 0');
    this.#closing = true;
    for (const target of this.#waiting) target.dismissWaiting(new ClosedError('the runtime was closed'));
    const { clock } = this.time;
    const until = clock.now() + drainMs;
    while (this.#inFlight() > 0 && clock.now() < until) {
      await new Promise<void>((resolve) => clock.setTimer(resolve, DRAIN_CHECK_MS).keepAlive(true));
    }
    if (!this.time.busy && this.#waiting.size === 0) this.time.stop();
    await this.#fleet?.close();
    for (const callback of this.#onClose.splice(0)) callback();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal */
  statusOf(target: Target): TargetStatus {
    const healing = this.#loop.healingOf(target) ?? this.#makeHealing(target);
    const health = this.#healthOf(target, healing);
    const refuses = this.mode === 'heal' || health.status === 'healthy';
    return targetStatus(target, refuses ? health : { ...health, status: 'degraded' });
  }

  #targetContext(): TargetContext {
    const { time, mode, propagation } = this;
    const closing = () => this.#closing;
    return {
      time,
      mode,
      propagation,
      graph: this.#graph,
      random: time.random,
      get closing() {
        return closing();
      },
      readopt: (target) => this.#targets.readopt(target),
      activate: (target) => {
        this.#targets.readopt(target);
        this.#loop.watch(target, time.now);
        if (target.kind === 'upstream') this.callsOut = true;
        if (target.shared) this.#fleet?.join(target);
      },
      attend: (target) => {
        this.#waiting.add(target);
        time.keepAlive(true);
      },
      watchForLeak: (permit, target, ticket) => this.#leaks.register(permit, { target, ticket }),
      transitioned: (target, transition) => {
        this.#hurry(target);
        this.#tellFleet(target, transition);
        const { from, to, reason } = transition;
        const at = time.clock.wall();
        this.#desk.add(target.name, { at, what: 'transition', detail: `${from} to ${to}: ${reason}` });
        this.#events.publish('transition', {
          ...transition,
          target: target.name,
          at,
          observed: mode === 'observe',
          incidentId: target.incidentId,
        });
      },
      hostMoved: (target, move) => this.#hostMoved(target, move),
      settingsChanged: (target, change) => {
        if (!target.shared) this.#fleet?.leave(target.name);
        else if (target.active) this.#fleet?.join(target);
        this.#events.publish('settings', { target: target.name, ...change });
        this.#changeTier(target, change);
      },
      forceInFleet: (target, state, before) => {
        if (!target.shared) return undefined;
        this.#fleet?.join(target);
        return this.#fleet?.force(target.name, state, before);
      },
      incidentIdOf: (target) => this.#incidents.openOf(target.name)?.id,
      reportCallback: (target, what, error) => this.reportCallback(target, what, error),
      statusOf: (target) => this.statusOf(target),
    };
  }

  #makeHealing(target: Target): SelfHealing {
    const { settings } = target;
    let healing: SelfHealing | undefined;
    const parts = this.#partsOf(target, settings.tier, () => this.#loop.healingOf(target) === healing);
    try {
      healing = makeTier(parts, settings);
    } catch (error) {
      this.reportCallback(target.name, `tier ${settings.tier}`, error);
      healing = makeTier(parts, { ...settings, tier: 'basic' });
    }
    return healing;
  }

  /** @param isInForce whether the healing that has these parts is still the target's */
  #partsOf(target: Target, tier: TierName, isInForce: () => boolean): HealingParts {
    const { name, kind, breaker, monitor, effects, connections } = target;
    return {
      name,
      kind,
      breaker,
      monitor,
      effects,
      connections,
      clock: this.time.clock,
      observes: this.mode !== 'heal',
      registry: this.recovery,
      incidents: this.#incidents,
      outlier: () => target.hosts?.anomaly(),
      causeOf: (now) => this.#causeOf(target, now),
      overlay: (key, options) => {
        if (this.mode === 'heal' && (options === undefined || isInForce())) target.overlay(key, options);
      },
      notify: (incident) => this.#notify?.(incident),
      onStrategyError: (strategy, error) => this.reportCallback(name, `strategy ${strategy.name}`, error),
      onIncidentEntry: (incident, entry) => {
        this.#usage.note(tier, incident, entry);
        this.#desk.tell(incident, entry);
      },
    };
  }

  #healthOf({ name, settings }: Target, healing: SelfHealing): HealthStatus {
    try {
      return healing.getHealthStatus();
    } catch (error) {
      this.reportCallback(name, `tier ${settings.tier}`, error);
      return { status: 'degraded', reasons: [`its tier ${settings.tier} throws: ${String(error)}`] };
    }
  }

  #changeTier(target: Target, { reason }: SettingsChange): void {
    const before = this.#loop.changeTier(target);
    const incident = this.#incidents.openOf(target.name);
    if (before === undefined || incident === undefined) return;
    const { tier } = target.settings;
    this.#usage.handOver(before, tier);
    const why = reason === undefined ? '' : `: ${reason}`;
    const at = this.time.clock.wall();
    this.#desk.add(target.name, { at, what: 'tier', detail: `${before} to ${tier}${why}` });
  }

  #causeOf({ name, kind, traces }: Target, now: number): RootCause | undefined {
    const cause = kind === 'route' && traces ? this.#graph.causeOf(name, now) : undefined;
    const upstream = cause && this.#targets.find(cause.upstream);
    return cause && { ...cause, isUnwell: upstream?.isUnwell(now) === true };
  }

  /** An incident that waits for its circuit alone goes on, though no call comes. */
  #hurry(target: Target): void {
    const { time } = this;
    this.#loop.hurry(target);
    if (target.active || this.#closing || this.#incidents.openOf(target.name) === undefined) return;
    time.ensureAwake();
    this.#loop.watch(target, time.now);
  }

  #withFleet(health: HealthStatus): HealthStatus {
    const status = this.#fleet?.status;
    if (status?.store.state === 'away') {
      return degrade(health, `fleet: this process heals alone, the store is away: ${status.store.lastError}`);
    }
    if (status?.suspectsItself)
      return degrade(health, 'fleet: most of what this process calls fails here at once');
    return health;
  }

  #makeFleet(store: Store, service: string): Fleet {
    const { clock, random } = this.time;
    return new Fleet(store, {
      service,
      clock,
      random,
      onStore: (status) => this.#events.publish('store', { ...status, at: clock.wall() }),
      onView: (view) => this.#events.publish('fleet', { target: view.target, at: clock.wall(), view }),
    });
  }

  /** What has opened here by its own rules is evidence for the others. */
  #tellFleet({ name, breaker }: Target, { to, from }: CircuitTransition): void {
    if (to === 'open' && from === 'closed' && breaker.tripped && !breaker.isFleets) {
      this.#fleet?.tripped(name, this.time.now);
    } else if (to === 'closed') this.#fleet?.recovered(name);
  }

  /** An ejection is an answer to an anomaly: it opens an incident where there is none. */
  #hostMoved(target: Target, { host, what, finding }: HostMove): void {
    const { name } = target;
    const { reason, evidence } = finding;
    const at = this.time.clock.wall();
    const anomaly = target.hosts?.anomaly();
    if (what === 'ejected' && anomaly !== undefined) this.#desk.open(name, anomaly, at);
    const detail = what === 'ejected' ? `${host}: ${reason}` : host;
    this.#desk.add(name, {
      at,
      what,
      detail,
      ...(what === 'ejected' && { level: isolate.level, evidence }),
    });
    const observed = this.mode === 'observe';
    const incidentId = target.incidentId;
    this.#events.publish('host', { target: name, at, host, what, reason, evidence, observed, incidentId });
    this.#hurry(target);
  }

  #tick(now: number): boolean {
    const busy = this.#loop.tick(now);
    this.#fleet?.tick(now);
    if (this.#waiting.size > 0) this.#serveWaiting(now);
    if (now >= this.#nextSweep) {
      this.#nextSweep = now + SWEEP_MS;
      for (const name of this.#targets.sweep(now)) {
        this.#fleet?.leave(name);
        this.#graph.forget(name);
      }
    }
    return (busy && !this.#closing) || this.#waiting.size > 0;
  }

  #serveWaiting(now: number): void {
    for (const target of this.#waiting) if (!target.serveWaiting(now)) this.#waiting.delete(target);
    this.time.keepAlive(this.#waiting.size > 0);
  }

  #inFlight(): number {
    let total = 0;
    for (const target of this.#targets) total += target.monitor.inFlight;
    return total;
  }
}
