import type { Outcome, Permit } from '@healix/core';
import { attemptLimitMs, deadlineError, isLast, isProbe, lateness, lateOutcome } from '@healix/core/adapter';
import type { Dispatcher } from 'undici';
import type { AttemptOwner } from './attempt-owner.ts';
import { abortError, notWorthReading, rethrowLater, withoutStart } from './errors.ts';
import { withHeaders } from './headers.ts';
import { HeldAnswer } from './held-answer.ts';
import { isUncertain, outcomeOfAnswer, outcomeOfError } from './outcome.ts';
import { Place } from './place.ts';

type Controller = Dispatcher.DispatchController;
type Headers = Record<string, string | string[] | undefined>;
type SentHeaders = Exclude<Dispatcher.DispatchOptions['headers'], undefined>;
type Socket = Parameters<NonNullable<Dispatcher.DispatchHandler['onRequestUpgrade']>>[3];

/** A body that stands still this long, where the request names no `bodyTimeout`, takes up no place. */
const BODY_MS = 300_000;

const WAITING = 0;
/** The answer goes on to the caller. */
const PASSING = 1;
/** The answer is kept back, since another attempt is to follow. */
const HELD = 2;
/** Whatever comes is of no interest. */
const GONE = 3;

/** One attempt of a call: what undici tells of it, and what it comes to. */
export class Attempt extends Place implements Dispatcher.DispatchHandler {
  readonly call: AttemptOwner;
  controller: Controller | null = null;
  #phase = WAITING;
  #outcome: Outcome = 'success';
  #held: HeldAnswer | undefined = undefined;
  #error: Error | undefined = undefined;
  /** The body has moved since it was last looked at. */
  #moving = false;
  /** The caller's own handler threw. */
  #faulted = false;

  constructor(call: AttemptOwner, permit: Permit) {
    super(call.target, permit);
    this.call = call;
  }

  begin(): boolean {
    const { call, permit, target } = this;
    let deadline = Number.POSITIVE_INFINITY;
    if (target.limitsTime) {
      const limitMs = attemptLimitMs(target, permit, call.timeoutMs) ?? Number.POSITIVE_INFINITY;
      deadline = Math.min(call.endsAt, permit.start + limitMs);
      this.wakeAt(deadline);
    }
    try {
      return call.dispatch(this.#optionsFor(deadline), this);
    } catch (error) {
      this.leave('ignored');
      this.#phase = GONE;
      throw error;
    }
  }

  /** What is sent, with what the other side is told of its time. */
  #optionsFor(deadline: number): Dispatcher.DispatchOptions {
    const { priority } = this.call;
    const options = this.call.optionsFor(this.permit);
    // undici closes the connection behind the answer then, and makes another for what comes next.
    const isRenewing = this.target.connections.isRenewing(this.target.time.now);
    const told = this.target.headersFor(deadline - this.target.time.current(), priority);
    if (told === undefined && !isRenewing) return options;
    const headers = told === undefined ? {} : { headers: withHeaders(options.headers, told) as SentHeaders };
    return { ...options, ...headers, ...(isRenewing && { reset: true }) };
  }

  protected override putOff(ms: number): void {
    this.call.putOff(ms);
  }

  wantsHeaders(status: number): boolean {
    return isUncertain(this.target, status);
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.controller = controller;
    const { call } = this;
    if (this.#phase === GONE) controller.abort(this.#error as Error);
    else if (call.paused) controller.pause();
    if (this.#phase === GONE || call.started) return;
    call.started = true;
    try {
      call.handler.onRequestStart?.(call, context);
    } catch (error) {
      this.#faulted = true;
      throw error;
    }
  }

  onBodySent(chunk: Buffer): void {
    if (this.#phase !== GONE) this.call.handler.onBodySent?.(chunk);
  }

  onRequestSent(): void {
    if (this.#phase !== GONE) this.call.handler.onRequestSent?.();
  }

  onResponseStarted(): void {
    if (this.#phase !== GONE) this.call.handler.onResponseStarted?.();
  }

  onRequestUpgrade(controller: Controller, status: number, headers: Headers, socket: Socket): void {
    this.controller = controller;
    const { call, target } = this;
    if (this.#phase !== WAITING) {
      socket.destroy();
      return;
    }
    this.#phase = PASSING;
    target.markLatency(this.permit);
    this.leave(outcomeOfAnswer(target, status, headers));
    call.handler.onRequestUpgrade?.(call, status, headers, socket);
  }

  onResponseStart(_controller: Controller, status: number, headers: Headers, statusText?: string): void {
    if (this.#phase !== WAITING) return;
    if (status < 200) this.call.handler.onResponseStart?.(this.call, status, headers, statusText);
    else if (this.#judge(status, headers)) this.#answer(status, headers, statusText);
    else this.#held = new HeldAnswer(status, headers, statusText, this.target.time.current());
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#phase === PASSING) {
      this.#moving = true;
      try {
        this.call.handler.onResponseData?.(this.call, chunk);
      } catch (error) {
        this.#faulted = true;
        throw error;
      }
    } else if (this.#phase === WAITING) {
      this.#derail(controller);
    } else if (this.#held?.add(chunk) === false) {
      controller.pause();
    }
  }

  onResponseEnd(controller: Controller, trailers: Headers): void {
    if (this.#phase === PASSING) {
      this.leave(this.#outcome);
      this.call.handler.onResponseEnd?.(this.call, trailers);
    } else if (this.#phase === WAITING) {
      this.#derail(controller);
    } else {
      this.#held?.end(trailers);
    }
  }

  onResponseError(controller: Controller | null, error: Error): void {
    const { call, target } = this;
    if (this.#phase === GONE) return;
    if (this.#phase === HELD) {
      this.#held?.fail(error);
      return;
    }
    const gaveUp = call.aborted || controller?.aborted === true;
    if (this.#phase === PASSING) {
      this.leave(this.#outcomeOfBreak(gaveUp, error));
    } else if (gaveUp) {
      this.abandonPlace(this.#reasonOf(error));
    } else {
      this.#error = error;
      this.#phase = GONE;
      const outcome = this.#faulted ? 'ignored' : outcomeOfError(target, call.options, error);
      if (this.#repeats(outcome, target.retryAfterMs(true, error))) return;
    }
    this.#phase = GONE;
    call.fail(error, controller);
  }

  /** The attempt's time is over; or, once the answer has begun, it is time to see whether its body moves. */
  expire(now: number): void {
    try {
      if (this.#phase === WAITING && this.target.observes) this.#overrun();
      else if (this.#phase === WAITING) this.#timeOut(now);
      else if (this.#phase === PASSING) this.#lookAtBody(now);
    } catch (error) {
      rethrowLater(error);
    }
  }

  /** The caller gives up. */
  abandon(reason: Error): void {
    if (this.controller !== null) {
      this.controller.abort(reason);
    } else if (this.#phase !== GONE) {
      this.#drop(reason);
      this.abandonPlace(reason);
      this.call.fail(reason);
    }
  }

  /** No attempt follows after all: the caller gets what this one came to. */
  conclude(): void {
    const { call } = this;
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) {
      call.fail(this.#error as Error);
      return;
    }
    const controller = this.controller as Controller;
    try {
      this.#answer(held.status, held.headers, held.statusText);
      for (const chunk of held.chunks) if (!call.aborted) this.onResponseData(controller, chunk);
    } catch (error) {
      if (held.over) this.onResponseError(controller, error as Error);
      else controller.abort(error as Error);
      return;
    }
    if (call.aborted) {
      // undici tells nothing more of a request that is over.
      if (held.over) this.#fail(call.reason ?? abortError());
      return;
    }
    if (held.error !== undefined) this.onResponseError(controller, held.error);
    else if (held.trailers !== undefined) this.onResponseEnd(controller, held.trailers);
    else if (!call.paused) controller.resume();
  }

  /** Whether the rest of an answer that is kept back is waited for, to use its connection again. */
  drains(now: number): boolean {
    return this.#held?.drains(now) === true;
  }

  /** Another attempt takes over. What is left of the answer costs its connection, lest the next one wait for it. */
  discard(): void {
    const held = this.#held;
    this.#phase = GONE;
    this.#held = undefined;
    if (held?.over === false) this.controller?.abort(notWorthReading());
  }

  /** Books what an answer says, as far as it is certain. False if it is to be kept from the caller. */
  #judge(status: number, headers: Headers): boolean {
    const { permit, target } = this;
    target.markLatency(permit);
    const outcome = outcomeOfAnswer(target, status, headers);
    this.#outcome = outcome;
    if (outcome === 'success') {
      if (isProbe(target, permit)) this.leave(outcome);
      return true;
    }
    if (this.#repeats(outcome, target.retryAfterMs(false, { headers }))) this.#phase = HELD;
    return this.#phase !== HELD;
  }

  #answer(status: number, headers: Headers, statusText: string | undefined): void {
    const { call } = this;
    this.#phase = PASSING;
    this.idle();
    this.#watchBody(this.target.time.current());
    try {
      call.handler.onResponseStart?.(call, status, headers, statusText);
    } catch (error) {
      this.#faulted = true;
      throw error;
    }
  }

  #watchBody(now: number): void {
    const { options } = this.call;
    // In observe mode the body goes on after it.
    const endsAt = this.call.endsAt > now ? this.call.endsAt : Number.POSITIVE_INFINITY;
    this.wakeAt(this.permit.released ? endsAt : Math.min(endsAt, now + (options.bodyTimeout || BODY_MS)));
  }

  /** Observe mode: what healing would have done now is noted, and the call goes on. */
  #overrun(): void {
    const { call, permit, target } = this;
    const last = isLast(target, permit);
    const outcome = lateOutcome(target, permit, target.time.current());
    if (target.noteTimeout(permit, outcome) && !last) call.repeat(0);
  }

  #timeOut(now: number): void {
    const { call, controller } = this;
    if (call.signal?.aborted) {
      this.abandon(call.signal.reason);
      return;
    }
    const error = this.#lateError(now);
    this.#drop(error);
    controller?.abort(error);
    if (!this.#repeats(lateOutcome(this.target, this.permit, now), 0)) call.fail(error);
  }

  #lateError(now: number): Error {
    const { call, permit, target } = this;
    return deadlineError(target, lateness(now, call.endsAt), Math.round(now - permit.start));
  }

  #lookAtBody(now: number): void {
    if (now >= this.call.endsAt) {
      this.#timeOutBody(now);
      return;
    }
    if (!this.#moving) this.leave(this.#outcome);
    this.#moving = false;
    this.#watchBody(now);
  }

  #timeOutBody(now: number): void {
    const { call, target } = this;
    const outcome = call.paused ? this.#outcome : 'failure';
    if (target.observes) {
      target.noteTimeout(this.permit, outcome);
      this.#watchBody(now);
      return;
    }
    const error = this.#lateError(now);
    this.#drop(error);
    this.leave(outcome);
    this.controller?.abort(error);
    call.fail(error);
  }

  /** Books a failure. True if another attempt follows, so that the caller must not hear of this one. */
  #repeats(outcome: Outcome, retryAfterMs: number): boolean {
    const { call, permit, target } = this;
    const failed = outcome === 'failure' || outcome === 'overload';
    const again = failed && !isLast(target, permit) && call.repeat(retryAfterMs);
    permit.retryAfterMs = retryAfterMs;
    this.leave(outcome);
    return again;
  }

  #outcomeOfBreak(gaveUp: boolean, error: Error): Outcome {
    const { call, target } = this;
    if (this.#faulted) return this.#outcome;
    if (!gaveUp) return outcomeOfError(target, call.options, error);
    return this.#reasonOf(error)?.name === 'TimeoutError' && !call.paused ? 'failure' : this.#outcome;
  }

  /** Why the caller gave up: undici's stream of a body does not pass it on. */
  #reasonOf(error: Error): Error | undefined {
    const { signal } = this.call;
    return signal?.aborted ? signal.reason : error;
  }

  /** Something beneath has kept the start of the answer to itself: no start of it will come. */
  #derail(controller: Controller): void {
    const error = withoutStart();
    this.leave('ignored');
    this.#drop(error);
    controller.abort(error);
    this.call.fail(error, controller);
  }

  #fail(error: Error): void {
    this.#drop(error);
    this.call.fail(error);
  }

  #drop(error: Error): void {
    this.settle();
    this.#error = error;
    this.#phase = GONE;
  }
}
