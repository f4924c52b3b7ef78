import type { Outcome, Priority } from './config/schema.ts';
import type { CoarseTime } from './time/coarse-time.ts';

/** An upstream, as the request sees it that calls it. */
export interface Callee {
  readonly name: string;
  /** Whether more than chance goes wrong with it. */
  isUnwell(now: number): boolean;
}

/** Upstreams of one request that are remembered. */
const MOST_CALLED = 8;
/** What still runs in the name of a request so long after its end is no longer a part of it. */
const FORGOTTEN_MS = 10_000;

/** What an inbound request passes on to the calls that are made on its behalf, and what it learns of them. */
export class RequestScope {
  readonly #time: CoarseTime;
  readonly #endsAt: number;
  #closed = false;
  #inFlight = 0;
  #since = 0;
  #waitedMs = 0;
  #last: Callee | undefined = undefined;
  #failed: Callee | undefined = undefined;
  /** How much the request matters, where that was said. */
  readonly priority: Priority | undefined;
  /** Whether its trouble is put down to what it calls. */
  readonly traced: boolean;
  /** The upstreams that it has called; undefined while there are none. */
  called: Callee[] | undefined = undefined;

  /** @param endsAt when the request is out of time, by `time`; for ever where nothing says so */
  constructor(time: CoarseTime, endsAt: number, priority?: Priority, traced = false) {
    this.priority = priority;
    this.traced = traced;
    this.#time = time;
    this.#endsAt = endsAt;
  }

  /**
   * Ms that are left for the request; undefined: nothing limits what is done now. What goes on in its name once it
   * has its answer (a timer that it has set up, say) has all the time that it wants.
   */
  get leftMs(): number | undefined {
    if (this.#endsAt === Number.POSITIVE_INFINITY || this.#closed) return undefined;
    const leftMs = this.#endsAt - this.#time.current();
    return leftMs < -FORGOTTEN_MS ? undefined : leftMs;
  }

  /** The request has its answer. */
  close(): void {
    this.#closed = true;
  }

  began(callee: Callee): void {
    this.#remember(callee);
    if (this.#inFlight++ === 0) this.#since = this.#time.current();
    this.#last = callee;
  }

  ended(callee: Callee, outcome: Outcome): void {
    if (--this.#inFlight === 0) this.#waitedMs += this.#time.current() - this.#since;
    if (outcome === 'failure' || outcome === 'overload') this.#failed = callee;
    else if (outcome === 'success' && this.#failed === callee) this.#failed = undefined;
  }

  /** The call did not begin, since its target let none in. */
  refused(callee: Callee): void {
    this.#remember(callee);
    this.#failed = callee;
  }

  /** Whose failure, or silence, is behind the failure of the request now; undefined: nobody's. */
  get culprit(): Callee | undefined {
    return this.#failed ?? (this.#inFlight > 0 ? this.#last : undefined);
  }

  /** The upstream that was called last. */
  get last(): Callee | undefined {
    return this.#last;
  }

  /** Whether it has spent most of `ms` in waiting for a call that is still under way: that one is to be judged yet. */
  waitsFor(ms: number): boolean {
    return this.#inFlight > 0 && this.#failed === undefined && this.waitedMs >= ms / 2;
  }

  /** Ms for which at least one of its calls was under way. */
  get waitedMs(): number {
    return this.#inFlight === 0 ? this.#waitedMs : this.#waitedMs + this.#time.current() - this.#since;
  }

  #remember(callee: Callee): void {
    this.called ??= [];
    if (this.called.length < MOST_CALLED && !this.called.includes(callee)) this.called.push(callee);
  }
}
