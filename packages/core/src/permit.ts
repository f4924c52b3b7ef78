import {
  CircuitOpenError,
  type HealixError,
  type HealixErrorDetails,
  OverloadError,
  PolicyError,
  RateLimitError,
  withoutStack,
} from './errors.ts';
import type { HostCall } from './hosts/host-call.ts';
import type { RequestScope } from './request-scope.ts';

/** What a permit or a rejection knows of the target that gave it. */
export interface PermitIssuer {
  readonly name: string;
  /** The incident under way, if there is one. */
  readonly incidentId: string | undefined;
}

export const RELEASED = Symbol('released');

/** In the place of its start: a call that does not wait for its answer any more. */
export const ANSWERED = Number.NEGATIVE_INFINITY;

/** What outlives a watched permit: told to the leak watch when the permit is dropped without a release. */
export interface LeakTicket {
  token: number;
  /** When the call began that waits for its answer still; ANSWERED once that has begun. */
  waitsSince: number;
  released: boolean;
  /** Where the call went, if its target has several hosts and it was asked for one. */
  host: HostCall | undefined;
  /** The host of the attempt before: another one is wanted. */
  hostBefore: HostCall | undefined;
}

export function newTicket({ token, waitsSince }: Permit): LeakTicket {
  return { token, waitsSince, released: false, host: undefined, hostBefore: undefined };
}

/** The right to make one call. It goes back with `target.release`, exactly once. */
export class Permit {
  readonly target: PermitIssuer;
  /** @internal The breaker's token, or what stands for one. */
  token: number;
  /** @internal When the call began, monotonic ms: exact where `weight` is not 0. */
  readonly start: number;
  /** @internal How many calls this one stands for in the latency histogram. */
  readonly weight: number;
  /** Ms that the call took where that is known before its release (time to headers); else -1. */
  latencyMs = -1;
  /** With the outcome `overload`: ms until the other side wants to see another try. */
  retryAfterMs = 0;
  /** @internal The inbound request that it is for; of an upstream's permit, on whose behalf it is called. */
  scope: RequestScope | undefined = undefined;
  /**
   * @internal Undefined while it is held, then RELEASED; a ticket instead, which says so itself, where a leak would be
   * noticed, or where a host was chosen.
   */
  hold: LeakTicket | typeof RELEASED | undefined = undefined;

  constructor(target: PermitIssuer, token: number, start: number, weight: number) {
    this.target = target;
    this.token = token;
    this.start = start;
    this.weight = weight;
  }

  /** @internal When the call began, if it waits for its answer still; else ANSWERED. */
  get waitsSince(): number {
    return this.latencyMs < 0 ? this.start : ANSWERED;
  }

  get ok(): true {
    return true;
  }

  get released(): boolean {
    const { hold } = this;
    return hold !== undefined && (hold === RELEASED || hold.released);
  }

  /**
   * @internal By how much limits that count from `start` are put off at the first tick since: a call that is not timed
   * began at some moment between the two.
   */
  slackMs(firstTick: number): number {
    return this.weight === 0 ? firstTick - this.start : 0;
  }
}

export type RejectionReason = 'circuit-open' | 'concurrency' | 'rate' | 'policy';

/** A refusal, as a value: to refuse costs less than to serve. */
export class Rejection {
  readonly target: PermitIssuer;
  readonly reason: RejectionReason;
  /** Ms until another try makes sense. */
  readonly retryAfterMs: number;
  /** What the policy says, for people. */
  readonly detail: string;
  /** HTTP status for a denial by policy. */
  readonly status: number;

  constructor(
    target: PermitIssuer,
    reason: RejectionReason,
    retryAfterMs: number,
    detail: string,
    status: number,
  ) {
    this.target = target;
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
    this.detail = detail;
    this.status = status;
  }

  get ok(): false {
    return false;
  }

  /** The typed error for it, without a stack trace. */
  toError(): HealixError {
    const { name, incidentId } = this.target;
    const details: HealixErrorDetails = { target: name, retryAfterMs: this.retryAfterMs, incidentId };
    const ErrorClass = ERROR_CLASSES[this.reason];
    return withoutStack(() => new ErrorClass(`${name}: ${this.detail}`, details));
  }
}

const ERROR_CLASSES = {
  'circuit-open': CircuitOpenError,
  concurrency: OverloadError,
  rate: RateLimitError,
  policy: PolicyError,
} as const;
