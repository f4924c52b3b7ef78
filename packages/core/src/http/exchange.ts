import { callerContext } from '../ambient.ts';
import type { Outcome } from '../config/schema.ts';
import { DeadlineError, withoutStack } from '../errors.ts';
import { Permit } from '../permit.ts';
import type { Target } from '../target.ts';
import { TICK_MS } from '../time/coarse-time.ts';
import { Timed } from '../time/timer-wheel.ts';
import { leaveConnection } from './connection.ts';
import { isClientGone, isClientSending, isSent, type RawRequest, type RawResponse } from './raw.ts';
import type { Route } from './routes.ts';

/** A client that waited this long for nothing, and left, has met a hang, where no `timeoutMs` says otherwise. */
const HANG_MS = 30_000;

/** What a handler sees of healing: `request.healing` in Fastify, `ctx.healing` in Koa. */
export interface RequestHealing {
  /** Aborts when the route's `deadlineMs` is over; its reason is a DeadlineError. */
  readonly signal: AbortSignal;
}

/** What a handler sees where nothing is healed. */
export const UNHEALED: RequestHealing = {
  get signal() {
    return new AbortController().signal;
  },
};

/** Whoever let the request in. */
interface ExchangeOwner {
  /** Answers in place of a handler that is late. */
  answerLate(exchange: Exchange, error: DeadlineError): void;
  /** The target that the exchange belongs to, as far as is known by now. */
  targetOf(exchange: Exchange): Target;
  /** The same when the exchange is left, once. */
  leave(exchange: Exchange): Target;
}

/**
 * One request that was let in, from admission to completion. It is permit, deadline and handle in one, since
 * this object is most of what a healthy request costs.
 */
export class Exchange extends Permit implements RequestHealing {
  declare readonly target: Target;
  readonly inbound: ExchangeOwner;
  readonly route: Route;
  readonly req: RawRequest;
  readonly res: RawResponse;
  /** The framework's own object for this request. */
  readonly context: unknown;
  /** @internal */
  deadline: ExchangeDeadline | undefined = undefined;
  /** @internal What `writeHead` (of HTTP/2: the stream's `respond`) was before it was watched. */
  begin: unknown = undefined;
  /** @internal What `end` was. */
  end: unknown = undefined;
  /** @internal What `destroy` was. */
  destroy: unknown = undefined;
  #broken = false;
  #error: unknown = undefined;
  #controller: AbortController | undefined = undefined;

  constructor(
    inbound: ExchangeOwner,
    target: Target,
    token: number,
    route: Route,
    req: RawRequest,
    res: RawResponse,
    context: unknown,
  ) {
    super(target, token, target.time.now, target.time.weight);
    this.inbound = inbound;
    this.route = route;
    this.req = req;
    this.res = res;
    this.context = context;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#error instanceof DeadlineError) this.#controller.abort(this.#error);
    }
    return this.#controller.signal;
  }

  /** The answer's head is on its way: latency ends here, and for an event stream so does the exchange. */
  answering(status: number, endless: boolean): void {
    if (this.released) return;
    this.target.markLatency(this);
    if (!this.target.breaker.plain) tellOfProbe(this, status);
    if (endless) book(this, status, byStatus(status));
  }

  /** The handler has taken the connection over: what goes on there is no longer a request. */
  takenOver(): void {
    if (this.released) return;
    this.scope?.close();
    leave(this).release(this, 'success');
  }

  /** The answer is being broken off: by the server itself, unless its client had left before. */
  breakingOff(error: unknown): void {
    if (this.#broken || this.released || this.res.writableEnded || isClientGone(this.req)) return;
    this.#broken = true;
    this.#error ??= error;
  }

  /** Where its client was there, and waited for the handler, that is a hang. */
  timedOut(): void {
    const { req, res } = this;
    if (!res.headersSent && !req.aborted && !isClientSending(req)) this.#broken = true;
    this.complete();
  }

  /** Nothing more comes. The first of several tellers counts. */
  complete(): void {
    if (this.released) return;
    const { res } = this;
    const { statusCode } = res;
    if (isSent(this.req, res)) book(this, statusCode, byStatus(statusCode));
    else if (this.#broken || (res.headersSent && statusCode >= 500)) book(this, statusCode, 'failure');
    else giveUp(this);
  }

  /** Ends the exchange at `deadline`, in the async context of its request. */
  endBy(deadline: number): void {
    this.deadline = new ExchangeDeadline(this, deadline);
    this.target.schedule(this.deadline);
  }

  /** @internal Tries a circuit that is not closed. */
  asProbe(): void {
    new ProbeTime(this).begin();
  }

  /** @internal The deadline has passed. An answer that has begun goes on, since its reader may be the slow one. */
  timeOut(now: number): void {
    const { target, res } = this;
    const late = !res.headersSent;
    const outcome = isClientSending(this.req) ? 'ignored' : this.#lateOutcome(now);
    if (target.observes) {
      if (late) target.noteTimeout(this, outcome, this.inbound.targetOf(this));
      return;
    }
    const took = Math.round(now - this.start);
    const error = withoutStack(
      () =>
        new DeadlineError(`${target.name}: the deadline passed after ${took} ms`, { target: target.name }),
    );
    this.#error = error;
    if (late && !this.released) leave(this).release(this, outcome);
    this.#controller?.abort(error);
    if (late && !res.headersSent) this.inbound.answerLate(this, error);
  }

  /**
   * @internal A client that waited this long for nothing, and left, has met a hang: where a deadline was due, its
   * client's own may have come a moment before.
   */
  get hangMs(): number {
    if (this.deadline === undefined) return HANG_MS;
    const nearlyMs = this.deadline.deadline - this.start - 2 * TICK_MS;
    return Math.min(HANG_MS, Math.max(nearlyMs, this.target.medianMs(this.target.time.current())));
  }

  /** The route's own deadline is a fair one; its caller's may be too short for anyone. */
  #lateOutcome(now: number): Outcome {
    const { target, start } = this;
    const { deadlineMs = Number.POSITIVE_INFINITY } = target.settings;
    return now - start < Math.min(deadlineMs, target.medianMs(now)) ? 'ignored' : 'failure';
  }

  /** @internal */
  get error(): unknown {
    return this.#error;
  }
}

class ExchangeDeadline extends Timed {
  readonly #exchange: Exchange;
  readonly #context = callerContext();

  constructor(exchange: Exchange, deadline: number) {
    super();
    this.#exchange = exchange;
    this.deadline = deadline;
  }

  override ticked(now: number): void {
    this.deadline += this.#exchange.slackMs(now);
  }

  expire(now: number): void {
    this.#context.runInAsyncScope(this.#exchange.timeOut, this.#exchange, now);
  }
}

/**
 * Looks at a probe before its lease ends, as one that is silent then has failed: where it is the client that keeps it
 * waiting, its place is given back for another. As the lease does, it stands still while this process does.
 */
class ProbeTime extends Timed {
  readonly #exchange: Exchange;
  #lostMs = 0;

  constructor(exchange: Exchange) {
    super();
    this.#exchange = exchange;
    this.deadline = exchange.start + exchange.target.breaker.probeLimitMs;
  }

  begin(): void {
    const { time } = this.#exchange.target;
    this.#lostMs = time.lostMs;
    this.settled = false;
    time.watch(this);
  }

  expire(): void {
    const { released, target, req } = this.#exchange;
    if (released || !isClientSending(req)) return;
    const lostMs = target.time.lostMs - this.#lostMs;
    if (lostMs === 0) {
      target.judgeProbe(this.#exchange, 'ignored');
    } else {
      this.deadline += lostMs;
      this.begin();
    }
  }
}

/** The client has left without an answer. That it did not send its request to the end says nothing of us. */
function giveUp(exchange: Exchange): void {
  const target = leave(exchange);
  if (isClientSending(exchange.req)) target.release(exchange, 'ignored');
  else target.abandon(exchange, undefined, exchange.hangMs);
}

function book(exchange: Exchange, status: number, otherwise: Outcome): void {
  const target = leave(exchange);
  exchange.scope?.close();
  target.release(exchange, target.judged({ status }, exchange.error, otherwise));
}

/** A probe is judged by the head of its answer, unless it proves to be another target's. */
function tellOfProbe(exchange: Exchange, status: number): void {
  const { target, inbound } = exchange;
  if (!target.breaker.isProbe(exchange.token) || inbound.targetOf(exchange) !== target) return;
  target.judgeProbe(exchange, target.judged({ status }, exchange.error, byStatus(status)));
}

/** Where the exchange is booked, now that the route is known for certain. */
function leave(exchange: Exchange): Target {
  const { deadline } = exchange;
  if (deadline !== undefined) exchange.target.wheel.settle(deadline);
  leaveConnection(exchange);
  return exchange.inbound.leave(exchange);
}

function byStatus(status: number): Outcome {
  return status >= 500 ? 'failure' : 'success';
}
