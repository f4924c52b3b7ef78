import type { CircuitOptions, ForcedState } from '../config/schema.ts';
import { type BreakerEnvironment, CircuitMachine } from './circuit-machine.ts';
import type { Trial } from './trial.ts';

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

/**
 * A circuit breaker: a circuit that moves by itself, and what persons and the fleet impose on it. A forced state stands
 * above all others.
 */
export class CircuitBreaker extends CircuitMachine {
  #heldDetail: string | undefined;
  #soleToken = 0;

  /**
   * @param options what differs from the defaults of `docs/settings.md`, section circuit
   * @throws ConfigError for a wrong setting
   */
  constructor(options: CircuitOptions = {}, environment: BreakerEnvironment = {}) {
    super(options, environment);
  }

  get forced(): ForcedState {
    return this.held;
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
  force(state: ForcedState, now: number = this.clock.now(), detail?: string): void {
    if (state === this.held && (state === null || detail === this.#heldDetail)) return;
    const was = this.held;
    const before = this.current;
    this.detail = detail;
    this.held = state;
    this.#heldDetail = detail;
    this.hasTripped = false;
    this.fleetTrial = undefined;
    if (state === 'open') {
      this.openTime.until = Number.POSITIVE_INFINITY;
      this.enterOpen(now, 'forced');
    } else if (state === 'closed') {
      this.enterClosed(now, false, 'forced');
    } else if (was === 'open' && !this.neverOpens) {
      this.openTime.until = now;
    } else {
      this.enterClosed(now, false, 'released');
    }
    // A person's word is told even where it changes nothing but who decides.
    if (this.current === before) this.tell(before, before, state === null ? 'released' : 'forced', now);
    this.detail = undefined;
  }

  /** Takes back a decision that does not hold: the circuit is as it was `before`, and held by nobody. */
  withdraw(before: CircuitSnapshot, now: number, detail: string): void {
    const from = this.current;
    this.detail = detail;
    this.restore({ ...before, forced: null }, 'released');
    if (this.current === from) this.tell(from, from, 'released', now);
    this.detail = undefined;
  }

  /** What the person who forced it says. */
  get forcedDetail(): string | undefined {
    return this.held === null ? undefined : this.#heldDetail;
  }

  /** Why a call is refused, for people. */
  get refusal(): string {
    if (this.held === 'open') return `the circuit is forced open${because(this.#heldDetail)}`;
    if (this.current === 'closed')
      return 'the circuit has just closed, and lets traffic back in step by step';
    return this.current === 'open' ? 'the circuit is open' : 'the circuit is being tried';
  }

  /** True while the circuit is open, or being tried, by the fleet's decision. */
  get isFleets(): boolean {
    return this.fleetTrial !== undefined;
  }

  /**
   * The fleet holds the circuit open until `until`, and tries it by `trial` then: what happened here counts no more.
   * Without effect while it is forced, or never opens.
   */
  adoptOpen(trial: Trial, until: number, openings: number, reason: string, now: number): void {
    if (this.held !== null || this.neverOpens) return;
    const goesOn = this.current === 'half-open' && this.fleetTrial === trial && until <= now;
    this.fleetTrial = trial;
    this.openTime.openings = openings;
    this.openTime.until = until;
    if (goesOn) return;
    this.hasTripped = true;
    this.ramp = undefined;
    this.enterOpen(now, reason);
  }

  /** The fleet has closed the circuit. One that is open for what happened here stays open. */
  adoptClosed(reason: string, now: number): void {
    if (this.fleetTrial !== undefined) this.enterClosed(now, this.settings.rampMs > 0, reason);
  }

  /** The fleet cannot be asked: once it is due, the circuit is tried alone. */
  standAlone(): void {
    if (this.fleetTrial === undefined) return;
    this.fleetTrial = undefined;
    if (this.current === 'half-open') this.trial = this.ownTrial();
  }

  /** The fleet has opened and closed the circuit unseen from here: what was counted before is no evidence any more. */
  forgetCalls(now: number): void {
    if (this.current !== 'closed') return;
    this.judge.clear();
    this.closedToken = ++this.lastToken;
    this.closedAt = now;
  }

  snapshot(): CircuitSnapshot {
    const now = this.clock.now();
    const { until, openings } = this.openTime;
    const isOpen = this.current === 'open' && this.held === null;
    return {
      state: this.current === 'closed' ? 'closed' : 'open',
      forced: this.held,
      openLeftMs: isOpen ? Math.max(0, until - now) : 0,
      openings,
      wallMs: this.clock.wall(),
    };
  }

  /** Takes up a state from before. The time that has passed since is taken off what was left. */
  restore(snapshot: CircuitSnapshot, reason = 'restored'): void {
    const now = this.clock.now();
    const { state, forced, openLeftMs, wallMs } = snapshot;
    const passed = Math.max(0, this.clock.wall() - wallMs);
    this.held = null;
    this.openTime.restore(now, snapshot.openings, openLeftMs - passed, this.settings.maxOpenMs);
    if (forced === 'open' || forced === 'closed') {
      this.force(forced, now);
    } else if (state === 'closed') {
      this.enterClosed(now, false, reason);
    } else {
      this.hasTripped = true;
      this.enterOpen(now, reason);
    }
  }
}

function because(detail: string | undefined): string {
  return detail === undefined ? '' : `: ${detail}`;
}
