import type { CircuitBreaker } from '../circuit/breaker.ts';
import { isBeyondHealing } from '../circuit/token.ts';
import type { Outcome, TargetSettings } from '../config/schema.ts';
import { DeadlineError, withoutStack } from '../errors.ts';
import type { RetryBudget } from '../limits/retry-budget.ts';
import type { Operation, PolicyEnforcer } from '../policy/enforcer.ts';
import type { CoarseTime } from '../time/coarse-time.ts';
import type { Random } from '../time/random.ts';
import { retryDelayMs } from './retry-delay.ts';

/** What the attempts of a call need of their target. */
export interface AttemptHost {
  readonly name: string;
  readonly time: CoarseTime;
  readonly random: Random;
  readonly settings: TargetSettings;
  readonly breaker: CircuitBreaker;
  readonly policy: PolicyEnforcer;
  readonly budget: RetryBudget | undefined;
  /** False in observe mode: nothing is cut short, repeated or replaced. */
  readonly acts: boolean;
  /** What half of the calls take at most; 0 while that is not known. */
  medianMs(now: number): number;
  noteWouldHave(what: 'repeated'): void;
}

/** Whether a permit is one of those that try a circuit which is not closed. */
export function isProbe({ breaker }: AttemptHost, permit: { readonly token: number }): boolean {
  return !breaker.plain && breaker.isProbe(permit.token);
}

/** Whether no other attempt may follow: a probe is never repeated, nor what healing would have ended before. */
export function isLast(host: AttemptHost, permit: { readonly token: number }): boolean {
  return isProbe(host, permit) || isBeyondHealing(permit.token);
}

/** Longest time of one attempt in ms: the target's own, or `ownMs` where it is shorter; a probe's is shorter yet. */
export function attemptLimitMs(
  host: AttemptHost,
  permit: { readonly token: number },
  ownMs: number | undefined,
): number | undefined {
  const limitMs = shorter(host.settings.timeoutMs, ownMs);
  return isProbe(host, permit) ? shorter(limitMs, host.breaker.probeLimitMs) : limitMs;
}

/**
 * Ms until the next attempt of a call, or undefined: there is none. It takes the repeat from the target's
 * budget.
 *
 * @param attempt how many attempts there were
 * @param retryAfterMs how long the other side asked to be left alone, or 0
 * @param endsAt when the whole call is out of time, in the runtime's time
 */
export function takeRepeat(
  host: AttemptHost,
  operation: Operation,
  attempt: number,
  retryAfterMs: number,
  endsAt: number | undefined,
): number | undefined {
  const { retry } = host.settings;
  if (attempt > retry.maxRetries || !host.policy.mayRepeat(operation)) return undefined;
  const now = host.time.current();
  const waitMs = retryDelayMs(retry, attempt, retryAfterMs, host.random);
  if (waitMs === undefined) return undefined;
  if (endsAt !== undefined && endsAt - now - waitMs < Math.max(1, host.medianMs(now))) return undefined;
  if (!host.budget?.tryWithdraw(now)) return undefined;
  if (host.acts) return waitMs;
  host.noteWouldHave('repeated');
  return undefined;
}

/** The request that a call is made for, as far as its time goes. */
interface Waiting {
  readonly leftMs: number | undefined;
}

/**
 * What an attempt comes to that is out of time at `now`: a failure; but where it was its caller's time that was over,
 * and it had less of it than half of the calls take, that says nothing of the one that was called.
 */
export function lateOutcome(
  host: AttemptHost,
  { start, scope }: { readonly start: number; readonly scope: Waiting | undefined },
  now: number,
): Outcome {
  const { leftMs } = scope ?? {};
  const isCallers = leftMs !== undefined && leftMs <= 0;
  return isCallers && now - start < host.medianMs(now) ? 'ignored' : 'failure';
}

/** What is over when an attempt is out of time. */
export function lateness(now: number, endsAt: number | undefined): string {
  return endsAt !== undefined && now >= endsAt ? 'the deadline passed' : 'the attempt timed out';
}

export function deadlineError(
  { name }: { readonly name: string },
  what: string,
  tookMs: number,
): DeadlineError {
  return withoutStack(() => new DeadlineError(`${name}: ${what} after ${tookMs} ms`, { target: name }));
}

/** The shorter of two times where undefined, or an endless one, is none. */
export function shorter(a: number | undefined, b: number | undefined): number | undefined {
  if (b === undefined || b === Number.POSITIVE_INFINITY) return a;
  return a === undefined ? b : Math.min(a, b);
}
