import { isPriority, PRIORITIES } from './config/schema.ts';
import { ConfigError } from './errors.ts';
import type { Operation } from './policy/enforcer.ts';
import { findWrongStaleOption, type StaleOptions } from './recovery/stale-answers.ts';

/** What a healed function is given. */
export interface AttemptContext {
  /** Aborts when the attempt's time is over (its reason is a DeadlineError) or when the caller gives up. */
  readonly signal: AbortSignal;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /**
   * Which of the target's `hosts` the attempt is to go to, as it stands there; undefined where it has none. It is chosen
   * when it is first read, and is then judged by what the attempt comes to; a repeat gets another one.
   */
  readonly host: string | undefined;
  /**
   * Headers for whoever is called, that say how long an answer is waited for, and how much the call matters. Empty
   * unless the runtime sends them (`deadlineHeader`, `priorityHeader`).
   */
  readonly headers: Readonly<Record<string, string>>;
}

/** What one healed call may say for itself. */
export interface RunOptions<T = unknown> extends Operation {
  /** The caller's own signal: when it aborts, so does the call. */
  signal?: AbortSignal | undefined;
  /** Longest time of the whole call in ms but its `fallback`, where it is shorter than the target's own. */
  deadlineMs?: number | undefined;
  /** Longest time of one attempt in ms, where it is shorter than the target's own. */
  timeoutMs?: number | undefined;
  /**
   * Answers in place of a call that failed for good. If it throws, the call's own end stands; so it does if it has no
   * answer by the call's `deadlineMs`, or within a second where less is left.
   */
  fallback?: ((error: unknown) => T | PromiseLike<T>) | undefined;
  /** Keeps good answers, to be given again while there are none. The key must tell users apart. */
  stale?: StaleOptions | undefined;
}

export const NO_OPTIONS: RunOptions = Object.freeze({});

/** What is wrong with a call's options, before anything comes of them. Unknown ones are let be. */
export function findWrongOption(options: RunOptions): ConfigError | undefined {
  if (typeof options !== 'object' || options === null) return new ConfigError('run', options, 'an object');
  const { signal, deadlineMs, timeoutMs, fallback, stale, method, idempotent, idempotencyKey, priority } =
    options;
  if (method !== undefined && typeof method !== 'string') {
    return new ConfigError('run.method', method, 'an HTTP method');
  }
  if (idempotent !== undefined && typeof idempotent !== 'boolean') {
    return new ConfigError('run.idempotent', idempotent, 'true or false');
  }
  if (idempotencyKey !== undefined && typeof idempotencyKey !== 'boolean') {
    return new ConfigError('run.idempotencyKey', idempotencyKey, 'true or false');
  }
  if (priority !== undefined && !isPriority(priority)) {
    return new ConfigError('run.priority', priority, `one of ${PRIORITIES.join(', ')}`);
  }
  if (signal !== undefined && !isAbortSignal(signal)) {
    return new ConfigError('run.signal', signal, 'an AbortSignal');
  }
  if (deadlineMs !== undefined && !isNumber(deadlineMs)) {
    return new ConfigError('run.deadlineMs', deadlineMs, 'a number');
  }
  if (timeoutMs !== undefined && !(isNumber(timeoutMs) && timeoutMs > 0)) {
    return new ConfigError('run.timeoutMs', timeoutMs, 'a number above 0');
  }
  if (fallback !== undefined && typeof fallback !== 'function') {
    return new ConfigError('run.fallback', fallback, 'a function');
  }
  return stale === undefined ? undefined : findWrongStaleOption(stale);
}

/** `over` laid on `under`; what is undefined says nothing. */
export function layOptions(under: RunOptions, over: RunOptions): RunOptions {
  const said = Object.entries(over).filter(([, value]) => value !== undefined);
  return { ...under, ...Object.fromEntries(said) };
}

export function isAbortSignal(value: unknown): value is AbortSignal {
  if (typeof value !== 'object' || value === null) return false;
  return typeof (value as AbortSignal).addEventListener === 'function' && 'aborted' in value;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && !Number.isNaN(value);
}
