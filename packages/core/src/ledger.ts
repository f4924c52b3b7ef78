import { CircuitBreaker } from './circuit/breaker.ts';
import { type CircuitTransition, LONGEST_CALL_MS } from './circuit/circuit-machine.ts';
import { isBeyondHealing, OFF, TIMED_OUT, UNJUDGED, WOULD_REFUSE } from './circuit/token.ts';
import type { CircuitSettings, Outcome, TargetSettings } from './config/schema.ts';
import { kindOf, type TargetKind } from './config/target-name.ts';
import { ConfigError } from './errors.ts';
import { InFlightAges } from './health/in-flight-ages.ts';
import { HealthMonitor } from './health/monitor.ts';
import type { HostCall } from './hosts/host-call.ts';
import { isOutcome } from './outcome.ts';
import { ANSWERED, type LeakTicket, type Permit, type PermitIssuer, RELEASED } from './permit.ts';
import type { Propagation } from './propagation.ts';
import type { Callee, RequestScope } from './request-scope.ts';
import type { WouldHave } from './target-status.ts';
import type { CoarseTime } from './time/coarse-time.ts';
import type { Random } from './time/random.ts';
import type { Timed, TimerWheel } from './time/timer-wheel.ts';

/** `heal`: decisions are carried out. `observe`: they are only counted. `off`: there are none. */
export type Mode = 'heal' | 'observe' | 'off';

export interface LedgerContext {
  readonly time: CoarseTime;
  readonly random: Random;
  readonly mode: Mode;
  readonly propagation: Propagation;
}

/** So long after a stall, at least, its effects may still show. */
const LEAST_GRACE_MS = 200;
/** Longer than any call takes. Unlike infinity it is a small integer, which lies in its object itself. */
const NEVER_MS = 2 ** 30;

/**
 * What calls of a target come to: each permit is booked once, with the breaker and the monitor. What every request
 * reads lies side by side here and in Gate (fields lie in the order of their declaration, private ones first): with
 * hundreds of targets it comes from far memory.
 */
export abstract class Ledger implements PermitIssuer {
  readonly #mode: Mode;
  #wouldHave: WouldHave | undefined;
  #settings: TargetSettings;
  /** A success that took no longer is a success, and nothing else. */
  #slowCallMs = NEVER_MS;
  /** The ages of the calls in flight, where slow calls are told from others. */
  protected ages: InFlightAges | undefined;
  readonly counts = { retries: 0, fallbacks: 0, staleAnswers: 0, lateReleases: 0 };
  /** False in observe mode and on an exempt target: nothing is refused, cut short, repeated or replaced. */
  acts = true;
  /** @internal Whether time limits are looked at: not on an exempt target. Observe mode does, but cuts nothing short. */
  limitsTime = true;
  /** Whether the control loop watches this target. */
  active = false;
  readonly monitor = new HealthMonitor();
  /** The emergency switch: nothing of the user's is called either. */
  protected readonly off: boolean;
  readonly time: CoarseTime;
  readonly breaker: CircuitBreaker;
  readonly name: string;
  readonly kind: TargetKind;
  readonly random: Random;
  /** @internal True in observe mode. */
  readonly observes: boolean;

  constructor(name: string, settings: TargetSettings, { time, random, mode }: LedgerContext) {
    this.#mode = mode;
    this.#settings = settings;
    this.off = mode === 'off';
    this.time = time;
    this.breaker = new CircuitBreaker(settings.circuit, {
      clock: time.clock,
      random,
      lostMs: () => time.lostMs,
      onTransition: (transition) => this.transitioned(transition),
    });
    this.name = name;
    this.kind = kindOf(name);
    this.random = random;
    this.observes = mode === 'observe';
  }

  abstract get incidentId(): string | undefined;
  /** Has the control loop watch the target. */
  protected abstract activate(): void;
  /** A request is over: what it called, and what is behind its trouble, if it had any. */
  protected abstract learned(
    called: readonly Callee[],
    bad: boolean,
    cause: Callee | undefined,
    weight: number,
    now: number,
  ): void;
  protected abstract transitioned(transition: CircuitTransition): void;

  /** The settings in force. */
  get settings(): TargetSettings {
    return this.#settings;
  }

  /** Observe mode's record; undefined while there is none. */
  get wouldHave(): Readonly<WouldHave> | undefined {
    return this.#wouldHave;
  }

  /**
   * Gives a permit back with what the call came to. A second release of it is ignored and counted.
   *
   * @throws ConfigError for something that is no outcome; the permit is then still held
   * @param target where the call is booked, if another target proved to be the right one
   */
  release(permit: Permit, outcome: Outcome, target: Ledger = this): void {
    if (outcome !== 'success' && !isOutcome(outcome)) {
      throw new ConfigError('release', outcome, "one of 'success', 'failure', 'overload', 'ignored'");
    }
    const { hold } = permit;
    if (hold === undefined) permit.hold = RELEASED;
    else if (!this.#letGo(hold, permit, outcome)) return;
    // Neither in force, nor a permit at all (a rejection has no token).
    if (!(permit.token > OFF)) return;
    const owner = permit.target as Ledger;
    owner.#vacate(permit.token, permit.waitsSince);
    if (permit.scope !== undefined && this.kind === 'upstream') permit.scope.ended(this, outcome);
    if (target !== owner) target.#takeOver(permit, owner, outcome);
    else if (outcome !== 'success' || permit.weight !== 0 || !target.#passes(permit))
      target.#settle(permit, outcome);
  }

  /** Notes that the answer has begun: latency ends here, the call goes on. */
  markLatency(permit: Permit): void {
    if (permit.latencyMs < 0) {
      permit.latencyMs = this.#endOf(permit, 'success') - permit.start;
      (permit.target as Ledger).#noteAnswer(permit);
    }
    if (permit.hold !== undefined && permit.hold !== RELEASED) permit.hold.host?.hear();
  }

  /** @internal Hears a probe's verdict before the call is over: what answers is well, however long its answer is. */
  judgeProbe(permit: Permit, outcome: Outcome): void {
    this.breaker.record(permit.token, outcome, permit.latencyMs, this.time.current());
  }

  /**
   * Observe mode: a call is out of time. It is booked as if it had been cut short now, and goes on; its release then
   * gives it back, and counts nothing. False for one that would not have been cut short, since it would have been refused.
   *
   * @internal
   * @param target where the call is booked, if another target proved to be the right one
   */
  noteTimeout(permit: Permit, outcome: Outcome = 'failure', target: Ledger = this): boolean {
    if (permit.released || permit.token < 0) return false;
    target.noteWouldHave('timedOut');
    if (target === this) this.#settle(permit, outcome);
    else target.#takeOver(permit, this, outcome);
    permit.token = TIMED_OUT;
    const ticket = permit.hold as LeakTicket | undefined;
    if (ticket !== undefined) {
      ticket.token = TIMED_OUT;
      ticket.host?.end(outcome, undefined, this.time.current());
    }
    this.monitor.placeless++;
    return true;
  }

  /** @internal Has `entry` expire at its deadline. What observe mode looks at does not keep the process alive. */
  schedule(entry: Timed): void {
    if (this.observes) this.time.watch(entry);
    else this.time.await(entry);
  }

  /** @internal Where `schedule` keeps its entries. */
  get wheel(): TimerWheel {
    return this.observes ? this.time.idleWheel : this.time.wheel;
  }

  /**
   * Gives back the permit of a call whose caller gave up. That says nothing, unless it was out of patience
   * with reason: after `timeoutMs` it is a failure, after `slowCallMs` a slow call.
   *
   * @param hangMs what counts as a hang where no `timeoutMs` is set
   */
  abandon(permit: Permit, reason?: unknown, hangMs = Number.POSITIVE_INFINITY): void {
    const elapsed = permit.latencyMs >= 0 ? 0 : this.time.read() - permit.start;
    const { timeoutMs = hangMs, circuit } = this.#settings;
    const timedOut = (reason as Error | undefined | null)?.name === 'TimeoutError';
    if (timedOut || elapsed >= timeoutMs) this.release(permit, 'failure');
    else if (circuit.slowCallMs !== undefined && elapsed > circuit.slowCallMs)
      this.release(permit, 'success');
    else this.release(permit, 'ignored');
  }

  /** @internal Notes the request on whose behalf an upstream is called. */
  callFor(permit: Permit, scope: RequestScope | undefined): void {
    if (scope === undefined || this.kind !== 'upstream') return;
    permit.scope = scope;
    scope.began(this);
  }

  /** @internal Whether more than chance goes wrong here: what is seen by now, be it little, or an incident. */
  isUnwell(now: number): boolean {
    const { breaker } = this;
    if (!breaker.plain || this.incidentId !== undefined) return true;
    const { calls, failures, slow } = breaker.countsAt(now);
    const bad = Math.max(failures, slow);
    return bad > 0 && bad >= calls * this.#settings.recovery.anomalyRate;
  }

  /** @internal Whether trouble of the target is put down to what it calls. */
  get traces(): boolean {
    const { tier, recovery } = this.#settings;
    return recovery.rootCause ?? (tier as string) !== 'basic';
  }

  /** @internal A watched permit was dropped: its place is given back. */
  reclaim({ token, waitsSince, host }: LeakTicket): void {
    this.#vacate(token, waitsSince);
    host?.drop();
    this.breaker.record(token, 'ignored', 0, this.time.read());
  }

  /** @internal Counts what observe mode would have done. */
  noteWouldHave(what: keyof WouldHave): void {
    if (!this.observes || this.#settings.exempt) return;
    this.#wouldHave ??= {
      success: 0,
      failure: 0,
      overload: 0,
      ignored: 0,
      timedOut: 0,
      repeated: 0,
      replaced: 0,
    };
    this.#wouldHave[what]++;
  }

  /**
   * @internal Counts the calls that hang: in flight past the slow threshold, they are slow now, whenever they end. Those
   * of before the circuit closed, or of before its window, are not its concern; after a stall nobody can tell them.
   */
  lookForHangs(now: number): void {
    if (this.ages === undefined || now - this.time.stallEnd <= this.#slowCallMs) return;
    const eldestMs = Math.min(this.#settings.circuit.windowMs, this.breaker.closedForMs(now));
    const tooOld = this.ages.olderThan(eldestMs, now);
    this.monitor.hanging = Math.max(0, this.ages.olderThan(this.#slowCallMs, now) - tooOld);
    this.breaker.judgeHanging(this.monitor.hanging, now);
  }

  /** Puts settings in force. State and counts are kept. */
  protected apply(settings: TargetSettings): void {
    this.#watchAges(this.#settings.circuit, settings.circuit);
    this.#settings = settings;
    this.#slowCallMs = settings.circuit.slowCallMs ?? NEVER_MS;
    this.acts = this.#mode === 'heal' && !settings.exempt;
    this.limitsTime = !this.off && !settings.exempt;
    const now = this.time.current();
    this.breaker.update(settings.circuit, settings.timeoutMs ?? LONGEST_CALL_MS, now);
    this.breaker.neverOpen(settings.policy.neverOpen || settings.exempt, now);
  }

  #watchAges(before: CircuitSettings, { slowCallMs, windowMs }: CircuitSettings): void {
    if (slowCallMs === undefined || this.off) {
      this.ages = undefined;
      this.monitor.hanging = 0;
    } else if (this.ages === undefined || windowMs !== before.windowMs) {
      this.ages = new InFlightAges(windowMs, this.monitor.inFlight > 0 ? this.time.current() : undefined);
    }
  }

  /** A call whose answer has begun does not hang, however long the answer is. */
  #noteAnswer({ start, hold }: Permit): void {
    if (this.ages === undefined || hold === RELEASED) return;
    this.ages.leave(start);
    if (hold !== undefined) hold.waitsSince = ANSWERED;
  }

  #vacate(token: number, waitsSince: number): void {
    this.monitor.inFlight--;
    if (this.ages !== undefined) this.ages.leave(waitsSince);
    if (token < UNJUDGED && isBeyondHealing(token)) this.monitor.placeless--;
  }

  /** What nearly all calls come to: a success that is counted, and no more. False where there is more to it. */
  #passes({ token, start, latencyMs: known }: Permit): boolean {
    const now = this.time.current();
    const latencyMs = known >= 0 ? known : now - start;
    if (latencyMs > this.#slowCallMs || !this.breaker.countSuccess(token, now)) return false;
    this.monitor.success++;
    return true;
  }

  #settle(permit: Permit, outcome: Outcome, token: number = permit.token): void {
    if (permit.token === TIMED_OUT) return;
    const isKnown = permit.latencyMs >= 0;
    const now = outcome === 'success' && isKnown ? this.time.current() : this.#endOf(permit, outcome);
    this.#book(token, permit, outcome, isKnown ? permit.latencyMs : now - permit.start, now);
  }

  #book(token: number, permit: Permit, outcome: Outcome, latencyMs: number, now: number): void {
    const slow = latencyMs > this.#slowCallMs;
    const excused = permit.start < this.time.stallEnd && this.#mayBeOurs(permit, outcome, latencyMs, slow);
    const booked = excused ? 'ignored' : outcome;
    this.monitor.record(booked, latencyMs, slow, permit.weight, now);
    const { scope } = permit;
    if (scope?.traced && this.kind === 'route') this.#attribute(token, permit, scope, booked, latencyMs, now);
    else if (token >= 0) this.breaker.record(token, booked, latencyMs, now, permit.retryAfterMs);
    else if (token === WOULD_REFUSE) this.noteWouldHave(booked);
  }

  /**
   * Puts the trouble of a route down to the upstream that it comes of. Where that is unwell, or is waited for to the
   * last, the route's own circuit does not hear of it: it judges the time that the route took itself, and not at all what failed elsewhere.
   */
  #attribute(
    token: number,
    permit: Permit,
    scope: RequestScope,
    outcome: Outcome,
    latencyMs: number,
    now: number,
  ): void {
    const ownMs = Math.max(0, latencyMs - scope.waitedMs);
    const slow = latencyMs > this.#slowCallMs && ownMs <= this.#slowCallMs;
    const cause = outcome === 'failure' ? scope.culprit : slow ? scope.last : undefined;
    const bad = outcome === 'failure' || latencyMs > this.#slowCallMs;
    this.learned(scope.called ?? [], bad, cause, permit.weight, now);
    if (token === WOULD_REFUSE) this.noteWouldHave(outcome);
    if (token < 0) return;
    const excused = cause !== undefined && (cause.isUnwell(now) || scope.waitsFor(latencyMs));
    if (!excused) this.breaker.record(token, outcome, latencyMs, now, permit.retryAfterMs);
    else this.breaker.record(token, outcome === 'failure' ? 'ignored' : outcome, ownMs, now);
  }

  /**
   * Whether what came of a call that ran across a stall may be this process's own doing: that it took long, if it did
   * not without the stall; or that it had no answer, if the stall was a rare one, and the silence beside it no longer.
   * An answer that came is what it is.
   */
  #mayBeOurs(
    { latencyMs: known, start }: Permit,
    outcome: Outcome,
    latencyMs: number,
    slow: boolean,
  ): boolean {
    const { stallIsRare } = this.time;
    const stallMs = this.time.stallMsFor(start);
    const ownMs = latencyMs - stallMs;
    if (outcome === 'success') return slow && ownMs <= this.#slowCallMs;
    return stallIsRare && known < 0 && ownMs <= Math.max(stallMs, LEAST_GRACE_MS);
  }

  /** Books a call that another target had let in. */
  #takeOver(permit: Permit, owner: Ledger, outcome: Outcome): void {
    owner.breaker.record(permit.token, 'ignored', 0, this.time.current());
    if (!this.active) this.activate();
    this.#settle(permit, outcome, this.#settings.exempt ? UNJUDGED : this.breaker.tokenSince(permit.start));
  }

  /** False for a permit that is released for the second time. */
  #letGo(hold: LeakTicket | typeof RELEASED, permit: Permit, outcome: Outcome): boolean {
    if (hold === RELEASED || hold.released) {
      this.counts.lateReleases++;
      return false;
    }
    hold.released = true;
    if (hold.host !== undefined) this.#leaveHost(hold.host, permit, outcome);
    return true;
  }

  #leaveHost(call: HostCall, permit: Permit, outcome: Outcome): void {
    const now = this.#endOf(permit, outcome);
    const { latencyMs: known, start, weight } = permit;
    const latencyMs = known >= 0 ? known : now - start;
    const stalled = start < this.time.stallEnd;
    const timed = !stalled && (weight > 0 || known >= 0);
    if (stalled && this.#mayBeOurs(permit, outcome, latencyMs, false)) call.drop();
    else call.end(outcome, timed ? latencyMs : undefined, now);
  }

  /** When a call that ends now ends: exact where it is timed, and where a stall may be to blame for it. */
  #endOf(permit: Permit, outcome: Outcome): number {
    return permit.weight === 0 && outcome === 'success' ? this.time.current() : this.time.read();
  }
}
