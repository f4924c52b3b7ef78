import type { Outcome } from '../config/schema.ts';
import type { CallLog } from './call-log.ts';
import type { Host } from './host.ts';

/** Where a call's end is told. */
export interface HostCallKeeper {
  ended(call: HostCall, outcome: Outcome, latencyMs: number | undefined, now: number): void;
}

/** One attempt at one host. It ends once; what is told after that is ignored. */
export class HostCall {
  readonly host: Host;
  /** The host's log when the call began: another one by now means that its end says nothing of now. */
  readonly log: CallLog;
  readonly start: number;
  /** The attempt before, of the same call. */
  readonly before: HostCall | undefined;
  readonly #keeper: HostCallKeeper;
  /** Its answer had begun before its end. */
  heard = false;
  #open = true;

  constructor(keeper: HostCallKeeper, host: Host, start: number, before: HostCall | undefined) {
    this.#keeper = keeper;
    this.host = host;
    this.log = host.log;
    this.start = start;
    this.before = before;
    host.inFlight++;
    host.log.enter();
  }

  /** Its answer has begun: it does not hang, however long the answer is. */
  hear(): void {
    if (!this.#open || this.heard) return;
    this.heard = true;
    this.log.hear();
  }

  /** @param latencyMs undefined where it is not known exactly */
  end(outcome: Outcome, latencyMs: number | undefined, now: number): void {
    if (this.#close()) this.#keeper.ended(this, outcome, latencyMs, now);
  }

  /** Ends it without a word about the host. */
  drop(): void {
    this.#close();
  }

  /** Whether this attempt, or one before it, went to `host`. */
  hasTried(host: Host): boolean {
    return this.host === host || this.before?.hasTried(host) === true;
  }

  #close(): boolean {
    if (!this.#open) return false;
    this.#open = false;
    this.host.inFlight--;
    if (!this.heard) this.log.hear();
    return true;
  }
}
