import { AsyncResource } from 'node:async_hooks';
import type { Permit, Priority, Target } from '@healix/core';
import { type CallOptions, takeRepeat } from '@healix/core/adapter';
import type { Dispatcher } from 'undici';
import { Attempt } from './attempt.ts';
import type { AttemptOwner } from './attempt-owner.ts';
import { abortError, rethrowLater } from './errors.ts';
import { RepeatWait, type Waiting } from './repeat-wait.ts';
import { asksFor, isReplayable, operationOf } from './repeatable.ts';

/** Where the caller's code ran: what follows an attempt, such as a trace, belongs there. */
type Scope = Pick<AsyncResource, 'runInAsyncScope'>;

type RawHeaders = Exclude<Dispatcher.DispatchController['rawHeaders'], undefined>;

/** How often it is looked whether the answer that a repeat waits for has ended. */
const DRAIN_CHECK_MS = 10;

/**
 * One healed request. It is the controller that the caller's handler holds, the same while attempts come and
 * go: back-pressure and abort reach whichever of them is under way, or the wait between two.
 */
export class Call implements AttemptOwner, Waiting {
  readonly target: Target;
  readonly dispatch: Dispatcher['dispatch'];
  readonly options: Dispatcher.DispatchOptions;
  readonly handler: Dispatcher.DispatchHandler;
  readonly priority: Priority | undefined;
  endsAt: number;
  started = false;
  paused = false;
  aborted = false;
  reason: Error | null = null;
  /** Healing says which host each attempt goes to. */
  chooses = false;
  readonly #own: CallOptions | undefined;
  readonly #scope: Scope | undefined;
  #attempt: Attempt;
  #attempts = 1;
  #wait: RepeatWait | undefined = undefined;

  constructor(
    target: Target,
    permit: Permit,
    dispatch: Dispatcher['dispatch'],
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
    own: CallOptions | undefined,
    endsAt: number,
    priority: Priority | undefined,
  ) {
    this.priority = priority;
    this.target = target;
    this.dispatch = dispatch;
    this.options = options;
    this.handler = handler;
    this.endsAt = endsAt;
    this.#own = own;
    this.#scope = isReplayable(options.body) ? scopeOf(handler) : undefined;
    this.#attempt = new Attempt(this, permit);
  }

  get timeoutMs(): number | undefined {
    return this.#own?.timeoutMs;
  }

  get signal(): AbortSignal | undefined {
    const { signal } = this.options as { signal?: AbortSignal | null };
    return typeof signal?.addEventListener === 'function' ? signal : undefined;
  }

  get rawHeaders(): RawHeaders {
    return this.#attempt.controller?.rawHeaders ?? null;
  }

  set rawHeaders(headers: RawHeaders) {
    const { controller } = this.#attempt;
    if (controller !== null) controller.rawHeaders = headers;
  }

  get rawTrailers(): RawHeaders {
    return this.#attempt.controller?.rawTrailers ?? null;
  }

  set rawTrailers(trailers: RawHeaders) {
    const { controller } = this.#attempt;
    if (controller !== null) controller.rawTrailers = trailers;
  }

  optionsFor(permit: Permit): Dispatcher.DispatchOptions {
    const { options, target } = this;
    const origin = this.chooses ? target.hostOf(permit, operationOf(options, this.#own)) : undefined;
    return origin === undefined ? options : { ...options, origin };
  }

  begin(): boolean {
    return this.#attempt.begin();
  }

  pause(): void {
    this.paused = true;
    this.#attempt.controller?.pause();
  }

  resume(): void {
    this.paused = false;
    this.#attempt.controller?.resume();
  }

  abort(reason: Error): void {
    this.giveUp(reason);
  }

  giveUp(reason: Error): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    if (this.#wait === undefined) {
      this.#attempt.abandon(reason);
      return;
    }
    this.target.time.wheel.settle(this.#wait);
    this.#wait.end();
    this.#wait = undefined;
    this.#attempt.discard();
    this.fail(reason ?? abortError());
  }

  fail(error: Error, controller: Dispatcher.DispatchController | null = null): void {
    this.handler.onResponseError?.(
      (this.started ? this : controller) as Dispatcher.DispatchController,
      error,
    );
  }

  putOff(ms: number): void {
    if (this.#attempts === 1) this.endsAt += ms;
  }

  repeat(retryAfterMs: number): boolean {
    const { target, options, endsAt, signal } = this;
    if (this.aborted || signal?.aborted || this.#scope === undefined) return false;
    const operation = operationOf(options, this.#own);
    const waitMs = takeRepeat(target, operation, this.#attempts, retryAfterMs, endsAt);
    if (waitMs === undefined) return false;
    this.#waitUntil(target.time.current() + waitMs);
    return true;
  }

  /** The wait is over: another attempt, unless the circuit has opened or the time run out meanwhile. */
  next(now: number): void {
    this.#wait = undefined;
    if (now < this.endsAt && this.#attempt.drains(now)) {
      this.#waitUntil(now + DRAIN_CHECK_MS);
      return;
    }
    try {
      const permit =
        now < this.endsAt ? this.target.acquire(asksFor(this.options, this.priority)) : undefined;
      if (permit?.ok) this.#beginAgain(permit, this.#attempt.permit.scope);
      else this.#attempt.conclude();
    } catch (error) {
      rethrowLater(error);
    }
  }

  #waitUntil(deadline: number): void {
    this.#wait = new RepeatWait(this, deadline, this.signal);
    this.target.time.await(this.#wait);
  }

  #beginAgain(permit: Permit, scope: Permit['scope']): void {
    this.target.callFor(permit, scope);
    this.target.counts.retries++;
    this.#attempt.discard();
    this.#attempts++;
    this.target.sendElsewhere(permit, this.#attempt.permit);
    this.#attempt = new Attempt(this, permit);
    try {
      this.#scope?.runInAsyncScope(this.begin, this);
    } catch (error) {
      this.fail(error as Error);
    }
  }
}

/** Most of undici's own handlers are a scope themselves. */
function scopeOf(handler: Dispatcher.DispatchHandler & Partial<Scope>): Scope {
  if (typeof handler.runInAsyncScope === 'function') return handler as Scope;
  return new AsyncResource('healix.undici', { requireManualDestroy: true });
}
