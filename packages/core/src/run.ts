import type { CircuitBreaker } from './circuit/breaker.ts';
import type { Outcome, TargetSettings } from './config/schema.ts';
import { ConfigError } from './errors.ts';
import type { RetryBudget } from './limits/retry-budget.ts';
import { Permit, type PermitIssuer, type Rejection } from './permit.ts';
import type { PolicyEnforcer } from './policy/enforcer.ts';
import {
  attemptLimitMs,
  deadlineError,
  isProbe,
  shorter,
  takeRepeat,
  timeoutError,
} from './recovery/attempts.ts';
import type { StaleAnswers } from './recovery/stale-answers.ts';
import { findWrongOption, NO_OPTIONS, type RunOptions } from './run-options.ts';
import type { CoarseTime } from './time/coarse-time.ts';
import type { Random } from './time/random.ts';
import type { Timed } from './time/timer-wheel.ts';

/** What a healed function is given. */
export interface AttemptContext {
  /** Aborts when the attempt's time is over (its reason is a DeadlineError) or when the caller gives up. */
  readonly signal: AbortSignal;
  /** 1 for the first attempt. */
  readonly attempt: number;
}

/** What running a call needs of its target. */
export interface RunHost extends PermitIssuer {
  readonly time: CoarseTime;
  readonly random: Random;
  readonly settings: TargetSettings;
  readonly breaker: CircuitBreaker;
  readonly policy: PolicyEnforcer;
  readonly budget: RetryBudget | undefined;
  readonly stale: StaleAnswers;
  readonly counts: { retries: number; fallbacks: number; staleAnswers: number };
  /** False in observe mode: nothing is cut short, repeated or replaced. */
  readonly acts: boolean;
  admit(operation: RunOptions): number;
  rejection(): Rejection;
  release(permit: Permit, outcome: Outcome): void;
  abandon(permit: Permit, reason: unknown): void;
  outcomeOf(threw: boolean, value: unknown): Outcome;
  retryAfterMs(threw: boolean, value: unknown): number;
  reportCallback(what: string, error: unknown): void;
}

/** How an attempt, and with the last one the call, ended. */
interface End {
  readonly outcome: Outcome;
  readonly threw: boolean;
  readonly value: unknown;
}

type Settle = (value: unknown) => void;
type Attempted = (context: AttemptContext) => unknown;

let lastResolve: Settle;
let lastReject: Settle;
function capture(resolve: Settle, reject: Settle): void {
  lastResolve = resolve;
  lastReject = reject;
}

/** Runs `fn` under its target's protection. The promise settles once, whatever `fn` does. */
export function run(host: RunHost, fn: Attempted, options: RunOptions): Promise<unknown> {
  const promise = new Promise(capture);
  const resolve = lastResolve;
  const reject = lastReject;
  const wrong = typeof fn !== 'function' ? new ConfigError('run', fn, 'a function') : findWrong(options);
  if (wrong !== undefined) {
    reject(wrong);
    return promise;
  }
  if (options.signal?.aborted) {
    reject(options.signal.reason);
    return promise;
  }
  const deadlineMs = shorter(host.settings.deadlineMs, options.deadlineMs);
  const endsAt = deadlineMs === undefined ? undefined : host.time.current() + deadlineMs;
  if (deadlineMs !== undefined && deadlineMs <= 0 && host.acts) {
    conclude(
      { target: host, fn, options, resolve, reject, endsAt },
      thrown(deadlineError(host, 'no time was left', 0)),
    );
    return promise;
  }
  const token = host.admit(options);
  if (token === 0) {
    conclude({ target: host, fn, options, resolve, reject, endsAt }, refusedBy(host));
  } else {
    host.budget?.deposit(host.time.current());
    new Attempt(host, token, fn, options, resolve, reject, endsAt, 1).begin();
  }
  return promise;
}

function findWrong(options: RunOptions): ConfigError | undefined {
  return options === NO_OPTIONS ? undefined : findWrongOption(options);
}

/** One call, and what its caller was promised. */
interface Call {
  readonly target: RunHost;
  readonly fn: Attempted;
  readonly options: RunOptions;
  readonly resolve: Settle;
  readonly reject: Settle;
  /** When the whole call is out of time. */
  readonly endsAt: number | undefined;
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
  readonly endsAt: number | undefined;
  readonly attempt: number;
  #limitMs: number | undefined = undefined;
  #controller: AbortController | undefined = undefined;

  constructor(
    host: RunHost,
    token: number,
    fn: Attempted,
    options: RunOptions,
    resolve: Settle,
    reject: Settle,
    endsAt: number | undefined,
    attempt: number,
  ) {
    const weight = host.time.sampleWeight();
    super(host, token, weight === 0 ? host.time.now : host.time.clock.now(), weight);
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
    return this.#controller.signal;
  }

  begin(): void {
    const { target: host, options } = this;
    if (host.acts) this.#limitTime();
    if (options.signal !== undefined) options.signal.addEventListener('abort', this);
    try {
      const result = this.fn(this);
      if (isThenable(result)) {
        result.then(
          (value) => this.#end(false, value),
          (error) => this.#end(true, error),
        );
      } else {
        this.#end(false, result);
      }
    } catch (error) {
      this.#end(true, error);
    }
  }

  /** The attempt's time is over. */
  expire(now: number): void {
    const error = timeoutError(this.target, this.start, now, this.endsAt);
    this.#detach();
    this.#abort(error);
    this.#fail(thrown(error));
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
    if (limitMs !== undefined || this.endsAt !== undefined) host.time.await(this);
  }

  #end(threw: boolean, value: unknown): void {
    if (this.settled) return;
    this.#detach();
    const { target: host } = this;
    const outcome = host.outcomeOf(threw, value);
    if (outcome === 'success' || outcome === 'ignored') {
      host.release(this, outcome);
      const { stale } = this.options;
      if (stale !== undefined && outcome === 'success' && host.acts)
        host.stale.keep(stale, value, host.time.current());
      settle(this, threw, value);
    } else {
      this.retryAfterMs = host.retryAfterMs(threw, value);
      this.#fail({ outcome, threw, value });
    }
  }

  #fail(end: End): void {
    const { target: host } = this;
    const wasProbe = isProbe(host, this);
    host.release(this, end.outcome);
    const waitMs = wasProbe || !host.acts ? undefined : this.#waitBeforeRepeat();
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
    this.target.time.wheel.settle(this);
    if (this.options.signal !== undefined) this.options.signal.removeEventListener('abort', this);
  }

  #abort(reason: unknown): void {
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
  }
}

/** The wait between two attempts. */
class RepeatWait implements Timed {
  readonly deadline: number;
  settled = false;
  wheelBucket: Timed[] | undefined = undefined;
  wheelIndex = 0;
  readonly #failed: Attempt;
  readonly #end: End;

  constructor(failed: Attempt, end: End, deadline: number) {
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
    const { target: host, fn, options, resolve, reject, endsAt, attempt } = this.#failed;
    const token = endsAt !== undefined && now >= endsAt ? 0 : host.admit(options);
    if (token === 0) {
      conclude(this.#failed, this.#end);
    } else {
      host.counts.retries++;
      new Attempt(host, token, fn, options, resolve, reject, endsAt, attempt + 1).begin();
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

function refusedBy(host: RunHost): End {
  return thrown(host.rejection().toError());
}

function thrown(value: unknown): End {
  return { outcome: 'failure', threw: true, value };
}

/** A call has failed for good: its caller gets the best answer that there is. */
function conclude(call: Call, end: End): void {
  const { target: host, options } = call;
  const kept = host.acts && options.stale && host.stale.find(options.stale, host.time.current());
  if (kept) {
    host.counts.staleAnswers++;
    call.resolve(kept.value);
  } else if (host.acts && options.fallback !== undefined) {
    fallBack(call, options.fallback, end);
  } else {
    settle(call, end.threw, end.value);
  }
}

function fallBack(call: Call, fallback: (error: unknown) => unknown, end: End): void {
  const failed = (error: unknown) => {
    call.target.reportCallback('fallback', error);
    settle(call, end.threw, end.value);
  };
  const answered = (answer: unknown) => {
    call.target.counts.fallbacks++;
    call.resolve(answer);
  };
  try {
    const answer = fallback(end.threw ? end.value : undefined);
    if (isThenable(answer)) answer.then(answered, failed);
    else answered(answer);
  } catch (error) {
    failed(error);
  }
}

function settle(call: Call, threw: boolean, value: unknown): void {
  if (threw) call.reject(value);
  else call.resolve(value);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false;
  return typeof (value as { then?: unknown }).then === 'function';
}
