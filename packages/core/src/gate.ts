import { CircuitBreaker, type CircuitTransition } from './circuit/breaker.ts';
import { WaitingRoom } from './circuit/waiting-room.ts';
import type { Outcome, TargetSettings } from './config/schema.ts';
import { kindOf, type TargetKind } from './config/target-name.ts';
import { ConfigError } from './errors.ts';
import { HealthMonitor } from './health/monitor.ts';
import { isOutcome } from './outcome.ts';
import { type LeakTicket, Permit, type PermitIssuer, RELEASED, Rejection } from './permit.ts';
import { type Operation, PolicyEnforcer, type PolicyVerdict } from './policy/enforcer.ts';
import { isAbortSignal, NO_OPTIONS } from './run-options.ts';
import type { WouldHave } from './target-status.ts';
import type { CoarseTime } from './time/coarse-time.ts';
import type { Random } from './time/random.ts';
import type { Timed, TimerWheel } from './time/timer-wheel.ts';

/** `heal`: decisions are carried out. `observe`: they are only counted. `off`: there are none. */
export type Mode = 'heal' | 'observe' | 'off';

export interface GateContext {
  readonly time: CoarseTime;
  readonly random: Random;
  readonly mode: Mode;
}

const REFUSED = 0;
/** Tokens of calls that the breaker has no part in. */
const UNJUDGED = -1;
const WOULD_REFUSE = -2;
const TIMED_OUT = -3;
const OFF = -4;
/** So long after a stall, at least, its effects may still show. */
const LEAST_GRACE_MS = 200;

/** Longer than any call takes. Unlike infinity it is a small integer, which lies in its object itself. */
const NEVER_MS = 2 ** 30;

/**
 * The request path of a target: whom it lets in, and what it books when they are through. What every request reads
 * lies side by side (fields lie in the order of their declaration, private ones first): with hundreds of targets it
 * comes from far memory.
 */
export abstract class Gate implements PermitIssuer {
  readonly #mode: Mode;
  #idleSince: number;
  #callsSeen = 0;
  #countsPlaces = false;
  #waitingRoom: WaitingRoom | undefined;
  #wouldHave: WouldHave | undefined;
  #denial: PolicyVerdict | undefined;
  #settings: TargetSettings;
  /** A success that took no longer is a success, and nothing else. */
  #slowCallMs = NEVER_MS;
  #plain = true;
  readonly counts = { retries: 0, fallbacks: 0, staleAnswers: 0, lateReleases: 0 };
  /** False in observe mode and on an exempt target: nothing is refused, cut short, repeated or replaced. */
  acts = true;
  /** Whether time limits are looked at: not on an exempt target. Observe mode does, but cuts nothing short. */
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
  readonly policy: PolicyEnforcer;
  /** True in observe mode. */
  readonly observes: boolean;

  constructor(name: string, settings: TargetSettings, { time, random, mode }: GateContext) {
    this.#mode = mode;
    this.#idleSince = time.current();
    this.#settings = settings;
    this.off = mode === 'off';
    this.time = time;
    this.breaker = new CircuitBreaker(settings.circuit, {
      clock: time.clock,
      random,
      longestCallMs: settings.timeoutMs,
      lostMs: () => time.lostMs,
      onTransition: (transition) => this.transitioned(transition),
    });
    this.name = name;
    this.kind = kindOf(name);
    this.random = random;
    this.observes = mode === 'observe';
    this.policy = new PolicyEnforcer(settings.policy, time.now);
    this.apply(settings);
  }

  abstract get incidentId(): string | undefined;
  /** Has the control loop watch the target. */
  protected abstract activate(): void;
  /** Has `reclaim` called if `permit` is dropped while `ticket` is not released. */
  protected abstract watchForLeak(permit: Permit, ticket: LeakTicket): void;
  /** Has `serveWaiting` called each tick until it returns false. */
  protected abstract attend(): void;
  /** Throws where waiting makes no sense. */
  protected abstract checkMayWait(): void;
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
   * Asks to make one call. A permit must go back with `release`, exactly once, on every way out; a rejection
   * is a value that says why and when to try again.
   */
  acquire(operation: Operation = NO_OPTIONS): Permit | Rejection {
    const token = this.admit(operation);
    if (token === REFUSED) return this.rejection();
    const { time } = this;
    const permit = new Permit(this, token, time.now, time.weight);
    if (permit.weight !== 0 || !this.#plain) this.#mayWatch(permit);
    return permit;
  }

  /** @internal A token to make a permit of, or 0: refused, and `rejection()` says why. */
  admit(operation: Operation): number {
    if (this.off) return OFF;
    const now = this.time.enter();
    if (!this.active) this.activate();
    const token = this.#plain ? this.breaker.tryAcquire(now) : this.#admitGuarded(operation, now);
    if (token === REFUSED) this.monitor.refused++;
    else this.monitor.inFlight++;
    return token;
  }

  /** @internal Why `admit` has just refused. */
  rejection(): Rejection {
    const denial = this.#denial;
    if (denial?.kind === 'deny') {
      const { reason, detail, retryAfterMs } = denial;
      return new Rejection(this, reason, retryAfterMs, detail, this.#settings.policy.denyStatus);
    }
    const waitMs = this.breaker.retryAfterMs(this.time.now);
    return new Rejection(this, 'circuit-open', waitMs, this.breaker.refusal, 503);
  }

  /**
   * Gives a permit back with what the call came to. A second release of it is ignored and counted.
   *
   * @throws ConfigError for something that is no outcome; the permit is then still held
   * @param target where the call is booked, if another target proved to be the right one
   */
  release(permit: Permit, outcome: Outcome, target: Gate = this): void {
    if (outcome !== 'success' && !isOutcome(outcome)) {
      throw new ConfigError('release', outcome, "one of 'success', 'failure', 'overload', 'ignored'");
    }
    const { hold } = permit;
    if (hold !== undefined && !this.#letGo(hold)) return;
    permit.hold = RELEASED;
    // Neither in force, nor a permit at all (a rejection has no token).
    if (!(permit.token > OFF)) return;
    const owner = permit.target as Gate;
    owner.monitor.inFlight--;
    if (target !== owner) target.#takeOver(permit, owner, outcome);
    else if (outcome !== 'success' || permit.weight !== 0 || !target.#passes(permit))
      target.#settle(permit, outcome);
  }

  /** Notes that the answer has begun: latency ends here, the call goes on. */
  markLatency(permit: Permit): void {
    if (permit.latencyMs < 0) permit.latencyMs = this.#endOf(permit, 'success') - permit.start;
  }

  /** @internal Hears a probe's verdict before the call is over: what answers is well, however long its answer is. */
  judgeProbe(permit: Permit, outcome: Outcome): void {
    this.breaker.record(permit.token, outcome, permit.latencyMs, this.time.current());
  }

  /**
   * Observe mode: a call is out of time. It is booked as if it had been cut short now, and goes on; its release then
   * gives back its place, and counts nothing. A call that would have been refused is not one that is cut short.
   *
   * @param target where the call is booked, if another target proved to be the right one
   */
  noteTimeout(permit: Permit, outcome: Outcome = 'failure', target: Gate = this): void {
    if (permit.released || permit.token < 0) return;
    target.noteWouldHave('timedOut');
    if (target === this) this.#settle(permit, outcome);
    else target.#takeOver(permit, this, outcome);
    permit.token = TIMED_OUT;
  }

  /** @internal Has `entry` expire at its deadline. What observe mode looks at does not keep the process alive. */
  await(entry: Timed): void {
    if (this.observes) this.time.watch(entry);
    else this.time.await(entry);
  }

  /** @internal Where `await` keeps its entries. */
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

  /**
   * Resolves when a call will be admitted: a worker may wait instead of failing its jobs. A place is set aside
   * for a second, for the next call of whoever makes one: where all callers wait, each finds its own. Rejects
   * with the signal's reason, or with a ClosedError once the runtime closes; a denial by policy is waited for
   * like all else, since it may be lifted.
   */
  async ready({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    if (signal !== undefined && !isAbortSignal(signal)) {
      throw new ConfigError('ready.signal', signal, 'an AbortSignal');
    }
    signal?.throwIfAborted();
    this.checkMayWait();
    if (!this.acts || (this.breaker.plain && this.policy.admitsAll)) return;
    this.#waitingRoom ??= new WaitingRoom(this.breaker, (held, now) =>
      this.policy.reserve(this.monitor.inFlight + held, now),
    );
    const waiting = this.#waitingRoom.wait(signal);
    this.serveWaiting(this.time.read());
    this.attend();
    return waiting;
  }

  /** @internal Lets waiting callers go as far as they are admitted; false when none is left. */
  serveWaiting(now: number): boolean {
    this.#waitingRoom?.serve(now, !this.acts);
    this.#replan();
    return this.#waitingRoom?.busy ?? false;
  }

  /** @internal Sends waiting callers away. */
  dismissWaiting(reason: Error): void {
    this.#waitingRoom?.dismiss(reason);
    this.#replan();
  }

  /** @internal A watched permit was dropped: its place is given back. */
  reclaim({ token }: LeakTicket): void {
    this.monitor.inFlight--;
    this.breaker.record(token, 'ignored', 0, this.time.read());
  }

  /** @internal True when nothing would be lost by forgetting the target. */
  isDisposable(now: number, idleMs: number): boolean {
    const { breaker, monitor } = this;
    const calls = monitor.ended + monitor.refused;
    if (this.active || calls !== this.#callsSeen) this.#idleSince = now;
    this.#callsSeen = calls;
    const isWhole = breaker.admittedShare(now) === 1;
    const idle = monitor.inFlight === 0 && now - this.#idleSince > idleMs && !this.#waitingRoom?.busy;
    return idle && isWhole && breaker.forced === null && this.incidentId === undefined;
  }

  /** Puts settings in force. State and counts are kept. */
  protected apply(settings: TargetSettings): void {
    const now = this.time.current();
    this.#settings = settings;
    this.#slowCallMs = settings.circuit.slowCallMs ?? NEVER_MS;
    this.breaker.update(settings.circuit, settings.timeoutMs, now);
    this.breaker.neverOpen(settings.policy.neverOpen, now);
    this.policy.update(settings.policy, now);
    this.monitor.concurrency = settings.policy.concurrency;
    this.#countsPlaces = settings.policy.concurrency !== undefined && !settings.exempt;
    this.#replan();
  }

  /** Whether the breaker alone decides on admission. */
  #replan(): void {
    this.acts = this.#mode === 'heal' && !this.#settings.exempt;
    this.limitsTime = this.acts || (this.observes && !this.#settings.exempt);
    this.#plain = this.acts && this.policy.admitsAll && !this.#waitingRoom?.busy;
    this.#denial = undefined;
  }

  #admitGuarded(operation: Operation, now: number): number {
    if (this.#settings.exempt) return UNJUDGED;
    const room = this.#waitingRoom;
    const reserved = room?.take(now) ?? 0;
    const verdict =
      reserved === 0
        ? this.policy.check(operation, this.monitor.inFlight + (room?.reserved ?? 0), now)
        : this.policy.checkRules(operation);
    this.#denial = verdict.kind === 'deny' ? verdict : undefined;
    if (this.observes) return this.#denial ? WOULD_REFUSE : this.breaker.tryAcquire(now) || WOULD_REFUSE;
    if (this.#denial === undefined) return reserved || this.breaker.tryAcquire(now);
    if (reserved !== 0) this.breaker.record(reserved, 'ignored', 0, now);
    return REFUSED;
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
    const excused = permit.start < this.time.stallEnd && this.#mayBeOurs(permit, outcome, slow, now);
    const booked = excused ? 'ignored' : outcome;
    this.monitor.record(booked, latencyMs, slow, permit.weight, now);
    if (token >= 0) this.breaker.record(token, booked, latencyMs, now, permit.retryAfterMs);
    else if (token === WOULD_REFUSE) this.noteWouldHave(booked);
  }

  /**
   * Whether what came of a call that ran across a stall may be this process's own doing: that it took long; or that it
   * had no answer so soon after. An answer that came is what it is, and so is silence long after.
   */
  #mayBeOurs(permit: Permit, outcome: Outcome, slow: boolean, now: number): boolean {
    if (outcome === 'success') return slow;
    const { stallEnd, stallMs } = this.time;
    return permit.latencyMs < 0 && now - stallEnd <= Math.max(stallMs, LEAST_GRACE_MS);
  }

  /** Books a call that another target had let in. */
  #takeOver(permit: Permit, owner: Gate, outcome: Outcome): void {
    owner.breaker.record(permit.token, 'ignored', 0, this.time.current());
    if (!this.active) this.activate();
    this.#settle(permit, outcome, this.#settings.exempt ? UNJUDGED : this.breaker.tokenSince(permit.start));
  }

  /** False for a permit that is released for the second time. */
  #letGo(hold: LeakTicket | typeof RELEASED): boolean {
    if (hold === RELEASED) {
      this.counts.lateReleases++;
      return false;
    }
    hold.released = true;
    return true;
  }

  /**
   * One timed permit a tick is watched, of all targets: a leak that happens again and again is found, at no cost to
   * the others. Where places are limited, each one counts, and all are watched.
   */
  #mayWatch(permit: Permit): void {
    if (this.off || !(this.#countsPlaces || (permit.weight !== 0 && this.time.isFirstAsked()))) return;
    const ticket = { token: permit.token, released: false };
    permit.hold = ticket;
    this.watchForLeak(permit, ticket);
  }

  /** @internal Counts what observe mode would have done. */
  noteWouldHave(what: keyof WouldHave): void {
    if (!this.observes) return;
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

  /** When a call that ends now ends: exact where it is timed, and where a stall may be to blame for it. */
  #endOf(permit: Permit, outcome: Outcome): number {
    return permit.weight === 0 && outcome === 'success' ? this.time.current() : this.time.read();
  }
}
