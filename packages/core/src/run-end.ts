import { isBeyondHealing, REFUSED } from './circuit/token.ts';
import type { Outcome, Priority } from './config/schema.ts';
import { isHealixError } from './errors.ts';
import type { Permit, PermitIssuer, Rejection } from './permit.ts';
import { type AttemptHost, deadlineError } from './recovery/attempts.ts';
import type { KeptAnswer, StaleAnswers, StaleOptions } from './recovery/stale-answers.ts';
import type { RequestScope } from './request-scope.ts';
import type { AttemptContext, RunOptions } from './run-options.ts';
import { Timed, type TimerWheel } from './time/timer-wheel.ts';

/** What a fallback has at least, in ms: it often begins because the time of its call is over. */
const FALLBACK_MS = 1_000;

/** What running a call needs of its target. */
export interface RunHost extends AttemptHost, PermitIssuer {
  readonly name: string;
  readonly stale: StaleAnswers;
  readonly counts: { retries: number; fallbacks: number; staleAnswers: number };
  admit(operation: RunOptions): number;
  callFor(permit: Permit, scope: RequestScope | undefined): void;
  isUnwell(now: number): boolean;
  rejection(): Rejection;
  release(permit: Permit, outcome: Outcome): void;
  markLatency(permit: Permit): void;
  abandon(permit: Permit, reason: unknown): void;
  outcomeOf(threw: boolean, value: unknown): Outcome;
  retryAfterMs(threw: boolean, value: unknown): number;
  noteWouldHave(what: 'repeated' | 'replaced'): void;
  noteTimeout(permit: Permit, outcome: Outcome): boolean;
  headersFor(leftMs: number, priority: Priority | undefined): Readonly<Record<string, string>> | undefined;
  schedule(entry: Timed): void;
  hostOf(permit: Permit, operation: RunOptions): string | undefined;
  sendElsewhere(next: Permit, failed: Permit): void;
  readonly wheel: TimerWheel;
  /** Whether time limits are looked at. */
  readonly limitsTime: boolean;
  /** Whether a call that is out of time is noted, and no more. */
  readonly observes: boolean;
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
  /** Of its last attempt. */
  readonly token: number;
  readonly fn: Attempted;
  readonly options: RunOptions;
  readonly resolve: Settle;
  readonly reject: Settle;
  /** When the whole call is out of time. */
  readonly endsAt: number | undefined;
}

export function tooLate(host: RunHost, what: string, tookMs: number, outcome: Outcome = 'failure'): End {
  return { outcome, threw: true, value: deadlineError(host, what, tookMs) };
}

export function refusedBy(host: RunHost): End {
  return { outcome: 'failure', threw: true, value: host.rejection().toError() };
}

/** A call has failed for good: its caller gets the best answer that there is. */
export function conclude(call: Call, end: End): void {
  const { target: host, options } = call;
  if (!host.acts) {
    if (!isBeyondHealing(call.token)) noteReplaced(host, options, end);
    settle(call, end.threw, end.value);
    return;
  }
  const kept = keptInstead(host, options, end);
  if (kept !== undefined) {
    host.counts.staleAnswers++;
    call.resolve(kept.value);
  } else if (options.fallback !== undefined) {
    fallBack(call, options.fallback, end);
  } else {
    settle(call, end.threw, end.value);
  }
}

/** Observe mode: notes that there was another answer for a call which ended so. */
export function noteReplaced(host: RunHost, options: RunOptions, end: End): void {
  const replaced = options.fallback !== undefined || keptInstead(host, options, end) !== undefined;
  if (replaced) host.noteWouldHave('replaced');
}

/** Keeps a good answer; observe mode only keeps that there was one. What healing would not have seen is not kept. */
export function keepAnswer({ target: host, token }: Call, stale: StaleOptions, value: unknown): void {
  if (token > REFUSED) host.stale.keep(stale, host.observes ? undefined : value, host.time.current());
}

function keptInstead(host: RunHost, { stale }: RunOptions, end: End): KeptAnswer | undefined {
  return stale === undefined || isDenied(end) ? undefined : host.stale.find(stale, host.time.current());
}

/** What policy denies is denied to whoever had it before, too. */
function isDenied({ value }: End): boolean {
  return isHealixError(value, 'HEALIX_POLICY');
}

function fallBack(call: Call, fallback: (error: unknown) => unknown, end: End): void {
  const { target: host } = call;
  const failed = (error: unknown) => {
    host.reportCallback('fallback', error);
    settle(call, end.threw, end.value);
  };
  const answered = (answer: unknown) => {
    host.counts.fallbacks++;
    call.resolve(answer);
  };
  try {
    const answer = fallback(end.threw ? end.value : undefined);
    if (isThenable(answer)) new FallbackWait(call, end).follow(answer, answered, failed);
    else answered(answer);
  } catch (error) {
    failed(error);
  }
}

/** A fallback that takes its time: it has what is left of the call's, or a second, and ends when the caller gives up. */
class FallbackWait extends Timed {
  readonly #call: Call;
  readonly #end: End;
  readonly #since: number;

  constructor(call: Call, end: End) {
    super();
    this.#call = call;
    this.#end = end;
    this.#since = call.target.time.current();
    this.deadline = Math.max(call.endsAt ?? Number.POSITIVE_INFINITY, this.#since + FALLBACK_MS);
  }

  follow(answer: PromiseLike<unknown>, answered: Settle, failed: Settle): void {
    const { target, options, endsAt } = this.#call;
    if (endsAt !== undefined) target.time.await(this);
    options.signal?.addEventListener('abort', this);
    const unlessOver = (settle: Settle) => (value: unknown) => {
      if (this.settled) return;
      this.#detach();
      settle(value);
    };
    answer.then(unlessOver(answered), unlessOver(failed));
  }

  override ticked(now: number): void {
    this.deadline += now - this.#since;
  }

  expire(): void {
    this.#detach();
    settle(this.#call, this.#end.threw, this.#end.value);
  }

  handleEvent(): void {
    this.#detach();
    this.#call.reject(this.#call.options.signal?.reason);
  }

  #detach(): void {
    this.#call.target.time.wheel.settle(this);
    this.#call.options.signal?.removeEventListener('abort', this);
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
