import type { AsyncResource } from 'node:async_hooks';
import { callerContext } from './ambient.ts';
import { REFUSED, WOULD_REFUSE } from './circuit/token.ts';
import { ConfigError } from './errors.ts';
import { Permit } from './permit.ts';
import { attemptLimitMs, isLast, lateness, lateOutcome, shorter, takeRepeat } from './recovery/attempts.ts';
import type { RequestScope } from './request-scope.ts';
import {
  type Attempted,
  type Call,
  conclude,
  type End,
  isThenable,
  keepAnswer,
  noteReplaced,
  type RunHost,
  refusedBy,
  type Settle,
  settle,
  tooLate,
} from './run-end.ts';
import { type AttemptContext, findWrongOption, NO_OPTIONS, type RunOptions } from './run-options.ts';
import { Timed } from './time/timer-wheel.ts';

let lastResolve: Settle;
let lastReject: Settle;
function capture(resolve: Settle, reject: Settle): void {
  lastResolve = resolve;
  lastReject = reject;
}

const soon = Promise.resolve();
const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/** Runs `fn` under its target's protection. The promise settles once, whatever `fn` does. */
export function run(
  host: RunHost,
  fn: Attempted,
  options: RunOptions,
  scope: RequestScope | undefined,
): Promise<unknown> {
  const promise = new Promise(capture);
  const resolve = lastResolve;
  const reject = lastReject;
  if ((typeof fn !== 'function' || options !== NO_OPTIONS) && !mayBegin(fn, options, reject)) return promise;
  const ownMs = shorter(host.settings.deadlineMs, options.deadlineMs);
  const deadlineMs = scope === undefined ? ownMs : shorter(ownMs, scope.leftMs);
  if (deadlineMs !== undefined && deadlineMs <= 0 && host.acts) {
    const endsAt = host.time.current();
    const call = { target: host, token: REFUSED, fn, options, resolve, reject, endsAt };
    conclude(call, tooLate(host, 'no time was left', 0));
    return promise;
  }
  const token = host.admit(options);
  const endsAt = deadlineMs === undefined ? undefined : host.time.current() + deadlineMs;
  if (token === REFUSED) {
    scope?.refused(host);
    const end = refusedBy(host);
    // The caller has had the promise by then: one that rejects before it has a handler costs a third more.
    soon.then(() => conclude({ target: host, token, fn, options, resolve, reject, endsAt }, end));
  } else {
    if (token === WOULD_REFUSE) noteReplaced(host, options, refusedBy(host));
    else host.budget?.deposit(host.time.now);
    new Attempt(host, token, fn, options, resolve, reject, endsAt, 1, scope).begin();
  }
  return promise;
}

/** False when the call ends before it begins: something is wrong with it, or its caller has given up. */
function mayBegin(fn: Attempted, options: RunOptions, reject: Settle): boolean {
  const wrong =
    typeof fn === 'function' ? findWrongOption(options) : new ConfigError('run', fn, 'a function');
  if (wrong !== undefined) reject(wrong);
  else if (options.signal?.aborted) reject(options.signal.reason);
  else return true;
  return false;
}

/**
 * One attempt of a call, in one object, since it is all that a call costs while all is well: the permit, the
 * context that the function sees, the wheel's entry, and what is needed to go on when it fails.
 */
class Attempt extends Permit implements AttemptContext, Call, Timed {
  settled = false;
  wheelBucket: Timed[] | undefined = undefined;
  wheelIndex = 0;
  declare readonly target: RunHost;
  readonly fn: Attempted;
  readonly options: RunOptions;
  readonly resolve: Settle;
  readonly reject: Settle;
  endsAt: number | undefined;
  readonly attempt: number;
  #limitMs: number | undefined = undefined;
  #ticked = false;
  #controller: AbortController | undefined = undefined;
  #context: AsyncResource | undefined = undefined;

  constructor(
    host: RunHost,
    token: number,
    fn: Attempted,
    options: RunOptions,
    resolve: Settle,
    reject: Settle,
    endsAt: number | undefined,
    attempt: number,
    scope: RequestScope | undefined,
  ) {
    super(host, token, host.time.now, host.time.weight);
    host.callFor(this, scope);
    this.fn = fn;
    this.options = options;
    this.resolve = resolve;
    this.reject = reject;
    this.endsAt = endsAt;
    this.attempt = attempt;
  }

  /** Worked out when asked for, since most attempts end before anybody asks. */
  get deadline(): number {
    const { endsAt = Number.POSITIVE_INFINITY } = this;
    return this.#limitMs === undefined ? endsAt : Math.min(endsAt, this.start + this.#limitMs);
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    this.#context ??= callerContext();
    return this.#controller.signal;
  }

  get host(): string | undefined {
    return this.target.hostOf(this, this.options);
  }

  get headers(): Readonly<Record<string, string>> {
    const { target: host, deadline, options } = this;
    return (
      host.headersFor(deadline - host.time.current(), options.priority ?? host.settings.priority) ??
      NO_HEADERS
    );
  }

  begin(): void {
    const { target: host, options } = this;
    if (host.limitsTime) this.#limitTime();
    if (options !== NO_OPTIONS && host.acts && (options.fallback || host.policy.mayRepeat(options))) {
      this.#context = callerContext();
    }
    if (options.signal !== undefined) options.signal.addEventListener('abort', this);
    try {
      const result = this.fn(this);
      if (result instanceof Promise) this.#follow(result);
      else if (isThenable(result)) this.#follow(Promise.resolve(result));
      else this.#end(false, result);
    } catch (error) {
      this.#end(true, error);
    }
  }

  #follow(result: Promise<unknown>): void {
    result.then(
      (value) => this.#end(false, value),
      (error) => this.#end(true, error),
    );
  }

  /** The call began with its first attempt. */
  ticked(now: number): void {
    if (this.#ticked) return;
    this.#ticked = true;
    const slackMs = this.slackMs(now);
    if (this.#limitMs !== undefined) this.#limitMs += slackMs;
    if (this.attempt === 1 && this.endsAt !== undefined) this.endsAt += slackMs;
  }

  /** The attempt's time is over. What is the caller's runs where the caller's code ran. */
  expire(now: number): void {
    if (this.target.observes) this.#overrun(now);
    else if (this.#context === undefined) this.#timeOut(now);
    else this.#context.runInAsyncScope(this.#timeOut, this, now);
  }

  /** What healing would have done now is noted, and the call goes on. */
  #overrun(now: number): void {
    const { target: host, options } = this;
    const last = isLast(host, this);
    this.settled = false;
    const end = this.#lateEnd(now);
    if (!host.noteTimeout(this, end.outcome)) return;
    if (!last) this.#waitBeforeRepeat();
    noteReplaced(host, options, end);
  }

  #timeOut(now: number): void {
    const end = this.#lateEnd(now);
    this.#detach();
    this.#abort(end.value);
    this.#fail(end);
  }

  #lateEnd(now: number): End {
    const { target: host, endsAt, start } = this;
    return tooLate(host, lateness(now, endsAt), Math.round(now - start), lateOutcome(host, this, now));
  }

  /** The caller gave up. */
  handleEvent(): void {
    const reason = this.options.signal?.reason;
    this.#detach();
    this.#abort(reason);
    this.target.abandon(this, reason);
    this.reject(reason);
  }

  #limitTime(): void {
    const { target: host, options } = this;
    const limitMs = attemptLimitMs(host, this, options.timeoutMs);
    this.#limitMs = limitMs;
    if (limitMs === undefined && this.endsAt === undefined) return;
    // Observe mode has begun one that had no time left.
    if (host.acts || this.deadline > this.start) host.schedule(this);
  }

  #end(threw: boolean, value: unknown): void {
    if (this.settled) return;
    this.#detach();
    const { target: host } = this;
    const outcome = host.outcomeOf(threw, value);
    if (outcome === 'success') {
      host.release(this, outcome);
      const { stale } = this.options;
      if (stale !== undefined) keepAnswer(this, stale, value);
      settle(this, threw, value);
    } else if (outcome === 'ignored') {
      host.release(this, outcome);
      if (threw) conclude(this, { outcome, threw, value });
      else settle(this, threw, value);
    } else {
      if (!threw) host.markLatency(this);
      this.retryAfterMs = host.retryAfterMs(threw, value);
      this.#fail({ outcome, threw, value });
    }
  }

  #fail(end: End): void {
    const { target: host } = this;
    const last = isLast(host, this);
    host.release(this, end.outcome);
    this.ticked(host.time.current());
    const waitMs = last ? undefined : this.#waitBeforeRepeat();
    if (waitMs === undefined) conclude(this, end);
    else new RepeatWait(this, end, host.time.current() + waitMs).begin();
  }

  /** Ms until the next attempt, or undefined: there is none. */
  #waitBeforeRepeat(): number | undefined {
    const { target: host, options, endsAt } = this;
    if (host.settings.recovery.preferFallback && options.fallback !== undefined) return undefined;
    return takeRepeat(host, options, this.attempt, this.retryAfterMs, endsAt);
  }

  #detach(): void {
    this.target.wheel.settle(this);
    if (this.options.signal !== undefined) this.options.signal.removeEventListener('abort', this);
  }

  #abort(reason: unknown): void {
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
  }
}

/** The wait between two attempts. */
class RepeatWait extends Timed {
  readonly #failed: Attempt;
  readonly #end: End;
  readonly #context = callerContext();

  constructor(failed: Attempt, end: End, deadline: number) {
    super();
    this.#failed = failed;
    this.#end = end;
    this.deadline = deadline;
  }

  begin(): void {
    const { target: host, options } = this.#failed;
    if (options.signal?.aborted) {
      this.handleEvent();
      return;
    }
    options.signal?.addEventListener('abort', this);
    host.time.await(this);
  }

  expire(now: number): void {
    this.#detach();
    this.#context.runInAsyncScope(this.#repeat, this, now);
  }

  #repeat(now: number): void {
    const { target: host, fn, options, resolve, reject, endsAt, attempt, scope } = this.#failed;
    const token = endsAt !== undefined && now >= endsAt ? 0 : host.admit(options);
    if (token === 0) {
      conclude(this.#failed, this.#end);
    } else {
      host.counts.retries++;
      const next = new Attempt(host, token, fn, options, resolve, reject, endsAt, attempt + 1, scope);
      host.sendElsewhere(next, this.#failed);
      next.begin();
    }
  }

  handleEvent(): void {
    this.#detach();
    this.#failed.reject(this.#failed.options.signal?.reason);
  }

  #detach(): void {
    const { target: host, options } = this.#failed;
    host.time.wheel.settle(this);
    options.signal?.removeEventListener('abort', this);
  }
}
