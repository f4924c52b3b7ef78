import type { Outcome, Permit, Target } from '@healix/core';
import { attemptLimitMs, isProbe, type Timed, timeoutError } from '@healix/core/adapter';
import type { Dispatcher } from 'undici';
import { HeldAnswer, LONGEST_DISCARDED } from './held-answer.ts';
import { outcomeOfAnswer, outcomeOfError } from './outcome.ts';

/** An answer whose body stands still this long, where the request names no `bodyTimeout`, takes up no place. */
const BODY_MS = 300_000;

const WAITING = 0;
/** The answer goes on to the caller. */
const PASSING = 1;
/** The answer is kept back, since another attempt is to follow. */
const HELD = 2;
/** Whatever comes is of no interest. */
const GONE = 3;

/** The call that an attempt belongs to, which is the controller that its caller holds. */
export interface AttemptOwner extends Dispatcher.DispatchController {
  readonly target: Target;
  readonly dispatch: Dispatcher['dispatch'];
  readonly handler: Dispatcher.DispatchHandler;
  readonly options: Dispatcher.DispatchOptions;
  readonly timeoutMs: number | undefined;
  /** When the whole call is out of time. */
  readonly endsAt: number | undefined;
  /** Whether the caller's handler has seen the request start. */
  started: boolean;
  /** The caller gave up, by its signal, which it could not tell of otherwise. */
  readonly signalAborted: boolean;
  /** Has another attempt follow a failed one; false if there is none. */
  repeat(retryAfterMs: number): boolean;
}

/** One attempt of a call: what undici tells of it, and the place that it takes up. */
export class Attempt implements Dispatcher.DispatchHandler, Timed {
  readonly call: AttemptOwner;
  readonly permit: Permit;
  controller: Dispatcher.DispatchController | null = null;
  deadline = Number.POSITIVE_INFINITY;
  settled = true;
  wheelBucket: Timed[] | undefined = undefined;
  wheelIndex = 0;
  #phase = WAITING;
  #outcome: Outcome = 'success';
  #held: HeldAnswer | undefined = undefined;
  #error: Error | undefined = undefined;
  /** The body has moved since it was last looked at. */
  #moving = false;
  /** The caller's own handler threw. */
  #faulted = false;
  #discarded = 0;

  constructor(call: AttemptOwner, permit: Permit) {
    this.call = call;
    this.permit = permit;
  }

  begin(): boolean {
    const { call, permit } = this;
    const { target, endsAt = Number.POSITIVE_INFINITY } = call;
    if (target.acts) {
      const limitMs = attemptLimitMs(target, permit, call.timeoutMs);
      const until = limitMs === undefined ? endsAt : Math.min(endsAt, permit.start + limitMs);
      if (until !== Number.POSITIVE_INFINITY) this.#wakeAt(until);
    }
    try {
      return call.dispatch(call.options, this);
    } catch (error) {
      this.#leave('ignored');
      this.#phase = GONE;
      throw error;
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
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

  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
    socket: Parameters<NonNullable<Dispatcher.DispatchHandler['onRequestUpgrade']>>[3],
  ): void {
    this.controller = controller;
    const { call } = this;
    if (this.#phase !== WAITING) {
      socket.destroy();
      return;
    }
    this.#phase = PASSING;
    call.target.markLatency(this.permit);
    this.#leave(outcomeOfAnswer(call.target, status, headers));
    call.handler.onRequestUpgrade?.(call, status, headers, socket);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
    statusText?: string,
  ): void {
    if (this.#phase !== WAITING) return;
    const { call, permit } = this;
    if (status < 200) {
      call.handler.onResponseStart?.(call, status, headers, statusText);
      return;
    }
    const { target } = call;
    target.markLatency(permit);
    const outcome = outcomeOfAnswer(target, status, headers);
    this.#outcome = outcome;
    if (outcome !== 'success') {
      const retryAfterMs = target.retryAfterMs(false, { headers });
      if (this.#repeats(outcome, retryAfterMs)) {
        this.#held = new HeldAnswer(status, headers, statusText);
        this.#phase = HELD;
        return;
      }
    } else if (isProbe(target, permit)) {
      this.#leave(outcome);
    }
    this.#answer(status, headers, statusText);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#phase === PASSING) {
      this.#moving = true;
      try {
        this.call.handler.onResponseData?.(this.call, chunk);
      } catch (error) {
        this.#faulted = true;
        throw error;
      }
    } else if (this.#held !== undefined) {
      if (!this.#held.add(chunk)) controller.pause();
    } else {
      this.#discarded += chunk.length;
      if (this.#discarded > LONGEST_DISCARDED) controller.abort(tooLong());
    }
  }

  onResponseEnd(
    _controller: Dispatcher.DispatchController,
    trailers: Record<string, string | string[] | undefined>,
  ): void {
    if (this.#phase === PASSING) {
      this.#leave(this.#outcome);
      this.call.handler.onResponseEnd?.(this.call, trailers);
    } else {
      this.#held?.end(trailers);
    }
  }

  onResponseError(controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#phase === GONE) return;
    if (this.#phase === HELD) {
      this.#held?.fail(error);
      return;
    }
    const { call, permit } = this;
    const { target } = call;
    const gaveUp = call.aborted || controller?.aborted === true;
    if (this.#phase === PASSING) {
      this.#leave(this.#outcomeOfBreak(gaveUp, error));
    } else if (gaveUp) {
      this.#settle();
      target.abandon(permit, error);
    } else {
      const outcome = this.#faulted ? 'ignored' : outcomeOfError(target, call.options, error);
      this.#error = error;
      this.#phase = GONE;
      if (this.#repeats(outcome, target.retryAfterMs(true, error))) return;
    }
    this.#phase = GONE;
    call.handler.onResponseError?.((call.started ? call : controller) as never, error);
  }

  /** The attempt's time is over; or, once the answer has begun, it is time to see whether its body moves. */
  expire(now: number): void {
    try {
      if (this.#phase === WAITING) this.#timeOut(now);
      else if (this.#phase === PASSING) this.#lookAtBody(now);
    } catch (error) {
      rethrowLater(error);
    }
  }

  /** The caller gives up. */
  abandon(reason: Error): void {
    const { call, permit, controller } = this;
    if (controller !== null) {
      controller.abort(reason);
    } else if (this.#phase !== GONE) {
      this.#drop(reason);
      call.target.abandon(permit, reason);
      call.handler.onResponseError?.((call.started ? call : null) as never, reason);
    }
  }

  /** No attempt follows after all: the caller gets what this one came to. */
  conclude(): void {
    const { call } = this;
    const held = this.#held;
    if (held === undefined) {
      call.handler.onResponseError?.((call.started ? call : null) as never, this.#error as Error);
      return;
    }
    this.#held = undefined;
    this.#phase = PASSING;
    const controller = this.controller as Dispatcher.DispatchController;
    try {
      this.#answer(held.status, held.headers, held.statusText);
      for (const chunk of held.chunks) if (!call.aborted) this.onResponseData(controller, chunk);
    } catch (error) {
      if (held.trailers === undefined && held.error === undefined) controller.abort(error as Error);
      else this.onResponseError(controller, error as Error);
      return;
    }
    if (call.aborted) return;
    if (held.error !== undefined) this.onResponseError(controller, held.error);
    else if (held.trailers !== undefined) this.onResponseEnd(controller, held.trailers);
    else if (!call.paused) controller.resume();
  }

  /** Another attempt takes over: the rest of the answer is read and thrown away, if it is not too long. */
  discard(): void {
    const held = this.#held;
    this.#phase = GONE;
    this.#held = undefined;
    if (held === undefined || held.trailers !== undefined || held.error !== undefined) return;
    this.#discarded = held.size;
    if (held.size > LONGEST_DISCARDED) this.controller?.abort(tooLong());
    else this.controller?.resume();
  }

  #answer(status: number, headers: Record<string, string | string[] | undefined>, statusText?: string): void {
    const { call, permit } = this;
    const { target, endsAt = Number.POSITIVE_INFINITY } = call;
    this.#phase = PASSING;
    const limited = target.acts && endsAt !== Number.POSITIVE_INFINITY;
    if (!permit.released) {
      const bodyEndsAt = target.time.current() + (call.options.bodyTimeout || BODY_MS);
      this.#wakeAt(limited ? Math.min(endsAt, bodyEndsAt) : bodyEndsAt);
    } else if (limited) {
      this.#wakeAt(endsAt);
    }
    try {
      call.handler.onResponseStart?.(call, status, headers, statusText);
    } catch (error) {
      this.#faulted = true;
      throw error;
    }
  }

  #timeOut(now: number): void {
    const { call, permit, controller } = this;
    const { target } = call;
    if (call.signalAborted) {
      this.abandon((call.options as { signal?: AbortSignal }).signal?.reason);
      return;
    }
    const error = timeoutError(target, permit.start, now, call.endsAt);
    this.#drop(error);
    controller?.abort(error);
    if (!this.#repeats('failure', 0)) {
      call.handler.onResponseError?.((call.started ? call : null) as never, error);
    }
  }

  #lookAtBody(now: number): void {
    const { call, permit } = this;
    const { target, endsAt = Number.POSITIVE_INFINITY } = call;
    if (target.acts && now >= endsAt) {
      const error = timeoutError(target, permit.start, now, endsAt);
      this.#drop(error);
      this.#leave(call.paused ? this.#outcome : 'failure');
      this.controller?.abort(error);
      call.handler.onResponseError?.(call, error);
    } else if (this.#moving) {
      this.#moving = false;
      this.#wakeAt(Math.min(endsAt, now + (call.options.bodyTimeout || BODY_MS)));
    } else {
      this.#leave(this.#outcome);
      if (target.acts && endsAt !== Number.POSITIVE_INFINITY) this.#wakeAt(endsAt);
    }
  }

  /** Books a failure. True if another attempt follows, so that the caller must not hear of this one. */
  #repeats(outcome: Outcome, retryAfterMs: number): boolean {
    const { call, permit } = this;
    const again = outcome !== 'ignored' && !isProbe(call.target, permit) && call.repeat(retryAfterMs);
    permit.retryAfterMs = retryAfterMs;
    this.#leave(outcome);
    return again;
  }

  #outcomeOfBreak(gaveUp: boolean, error: Error): Outcome {
    const { call } = this;
    if (this.#faulted || (gaveUp && (error?.name !== 'TimeoutError' || call.paused))) return this.#outcome;
    return gaveUp ? 'failure' : outcomeOfError(call.target, call.options, error);
  }

  #drop(error: Error): void {
    this.#settle();
    this.#error = error;
    this.#phase = GONE;
  }

  #leave(outcome: Outcome): void {
    this.#settle();
    const { call, permit } = this;
    if (!permit.released) call.target.release(permit, outcome);
  }

  #settle(): void {
    if (!this.settled) this.call.target.time.wheel.settle(this);
  }

  #wakeAt(deadline: number): void {
    const { time } = this.call.target;
    this.#settle();
    this.deadline = deadline;
    this.settled = false;
    time.await(this);
  }
}

/** An error in a handler that no frame of undici's is there to catch. */
export function rethrowLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

function tooLong(): Error {
  return new Error('the rest of an answer that another attempt replaces is not worth reading');
}
