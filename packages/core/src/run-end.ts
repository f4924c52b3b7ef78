import type { CircuitBreaker } from './circuit/breaker.ts';
import type { Outcome, TargetSettings } from './config/schema.ts';
import { DeadlineError, withoutStack } from './errors.ts';
import type { RetryBudget } from './limits/retry-budget.ts';
import type { Permit, PermitIssuer, Rejection } from './permit.ts';
import type { PolicyEnforcer } from './policy/enforcer.ts';
import type { StaleAnswers } from './recovery/stale-answers.ts';
import type { AttemptContext, RunOptions } from './run-options.ts';
import type { CoarseTime } from './time/coarse-time.ts';
import type { Random } from './time/random.ts';

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
  /** What half of the calls take at most; 0 while that is not known. */
  medianMs(now: number): number;
  reportCallback(what: string, error: unknown): void;
}

/** How an attempt, and with the last one the call, ended. */
export interface End {
  readonly outcome: Outcome;
  readonly threw: boolean;
  readonly value: unknown;
}

export type Settle = (value: unknown) => void;
export type Attempted = (context: AttemptContext) => unknown;

/** One call, and what its caller was promised. */
export interface Call {
  readonly target: RunHost;
  readonly fn: Attempted;
  readonly options: RunOptions;
  readonly resolve: Settle;
  readonly reject: Settle;
  /** When the whole call is out of time. */
  readonly endsAt: number | undefined;
}

export function tooLate({ name }: RunHost, what: string, tookMs: number): End {
  const value = withoutStack(
    () => new DeadlineError(`${name}: ${what} after ${tookMs} ms`, { target: name }),
  );
  return { outcome: 'failure', threw: true, value };
}

export function refusedBy(host: RunHost): End {
  return { outcome: 'failure', threw: true, value: host.rejection().toError() };
}

/** A call has failed for good: its caller gets the best answer that there is. */
export function conclude(call: Call, end: End): void {
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

export function settle(call: Call, threw: boolean, value: unknown): void {
  if (threw) call.reject(value);
  else call.resolve(value);
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false;
  return typeof (value as { then?: unknown }).then === 'function';
}
