import { OFF, REFUSED, UNJUDGED, WOULD_REFUSE } from './circuit/token.ts';
import { WaitingRoom } from './circuit/waiting-room.ts';
import type { TargetSettings } from './config/schema.ts';
import { ConfigError } from './errors.ts';
import { Ledger, type LedgerContext } from './ledger.ts';
import { type LeakTicket, newTicket, Permit, Rejection } from './permit.ts';
import { type Operation, PolicyEnforcer, type PolicyVerdict } from './policy/enforcer.ts';
import { isAbortSignal, NO_OPTIONS } from './run-options.ts';

/** The door of a target: whom it lets in, and when. */
export abstract class Gate extends Ledger {
  #idleSince: number;
  #callsSeen = 0;
  #countsPlaces = false;
  #waitingRoom: WaitingRoom | undefined;
  #denial: PolicyVerdict | undefined;
  /** The breaker alone decides on admission. */
  #plain = true;
  readonly policy: PolicyEnforcer;

  constructor(name: string, settings: TargetSettings, context: LedgerContext) {
    super(name, settings, context);
    const { time } = context;
    this.#idleSince = time.current();
    this.policy = new PolicyEnforcer(settings.policy, time.now);
    this.apply(settings);
  }

  /** Has `reclaim` called if `permit` is dropped while `ticket` is not released. */
  protected abstract watchForLeak(permit: Permit, ticket: LeakTicket): void;
  /** Has `serveWaiting` called each tick until it returns false. */
  protected abstract attend(): void;
  /** Throws where waiting makes no sense. */
  protected abstract checkMayWait(): void;

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
    if (this.ages !== undefined && token !== REFUSED) this.ages.enter(now);
    return token;
  }

  /** @internal Why `admit` has just refused. */
  rejection(): Rejection {
    const denial = this.#denial;
    if (denial?.kind === 'deny') {
      const { reason, detail, retryAfterMs } = denial;
      return new Rejection(this, reason, retryAfterMs, detail, this.settings.policy.denyStatus);
    }
    const waitMs = this.breaker.retryAfterMs(this.time.now);
    return new Rejection(this, 'circuit-open', waitMs, this.breaker.refusal, 503);
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
      this.policy.reserve(this.monitor.places + held, now),
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

  protected override apply(settings: TargetSettings): void {
    super.apply(settings);
    this.policy.update(settings.policy, this.time.current());
    this.monitor.concurrency = settings.policy.concurrency;
    this.#countsPlaces = settings.policy.concurrency !== undefined && !settings.exempt;
    this.#replan();
  }

  #replan(): void {
    this.#plain = this.acts && this.policy.admitsAll && !this.#waitingRoom?.busy;
    this.#denial = undefined;
  }

  #admitGuarded(operation: Operation, now: number): number {
    if (this.settings.exempt) return UNJUDGED;
    const room = this.#waitingRoom;
    const reserved = room?.take(now) ?? 0;
    const verdict =
      reserved === 0
        ? this.policy.check(operation, this.monitor.places + (room?.reserved ?? 0), now)
        : this.policy.checkRules(operation);
    this.#denial = verdict.kind === 'deny' ? verdict : undefined;
    if (this.observes)
      return (this.#denial ? REFUSED : this.breaker.tryAcquire(now)) || this.#admitPlaceless();
    if (this.#denial === undefined) return reserved || this.breaker.tryAcquire(now);
    if (reserved !== 0) this.breaker.record(reserved, 'ignored', 0, now);
    return REFUSED;
  }

  #admitPlaceless(): number {
    this.monitor.placeless++;
    return WOULD_REFUSE;
  }

  /**
   * One timed permit a tick is watched, of all targets: a leak that happens again and again is found, at no cost to
   * the others. Where places are limited, each one counts, and all are watched.
   */
  #mayWatch(permit: Permit): void {
    if (this.off || !(this.#countsPlaces || (permit.weight !== 0 && this.time.isWatched()))) return;
    const ticket = newTicket(permit);
    permit.hold = ticket;
    this.watchForLeak(permit, ticket);
  }
}
