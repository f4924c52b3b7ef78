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

  /** @param latencyMs undefined where it is not known exactly */
  end(outcome: Outcome, latencyMs: number | undefined, now: number): void {
    if (!this.#open) return;
    this.#open = false;
    this.host.inFlight--;
    this.#keeper.ended(this, outcome, latencyMs, now);
  }

  /** Ends it without a word about the host. */
  drop(now: number): void {
    if (!this.#open) return;
    this.#open = false;
    this.host.inFlight--;
    this.log.leave('ignored', undefined, now);
  }

  /** Whether this attempt, or one before it, went to `host`. */
  hasTried(host: Host): boolean {
    return this.host === host || this.before?.hasTried(host) === true;
  }
}
