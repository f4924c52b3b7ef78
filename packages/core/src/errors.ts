/** Permanent codes: what a program compares, across versions and duplicate installs. */
export type HealixErrorCode =
  | 'HEALIX_CIRCUIT_OPEN'
  | 'HEALIX_OVERLOAD'
  | 'HEALIX_RATE_LIMIT'
  | 'HEALIX_DEADLINE'
  | 'HEALIX_POLICY'
  | 'HEALIX_CONFIG'
  | 'HEALIX_CLOSED'
  | 'HEALIX_STORE';

const BRAND = Symbol.for('healix.error.1');

/** What an error of healix may carry beside its message. */
export interface HealixErrorDetails {
  /** The target that refused or gave up. */
  target?: string | undefined;
  /** Ms until another try makes sense. */
  retryAfterMs?: number | undefined;
  /** The incident under way on the target, if there is one. */
  incidentId?: string | undefined;
  cause?: unknown;
}

/** The parent of all errors that healix throws. */
export abstract class HealixError extends Error {
  abstract readonly code: HealixErrorCode;
  readonly target: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly incidentId: string | undefined;

  constructor(message: string, details: HealixErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.name = new.target.name;
    this.target = details.target;
    this.retryAfterMs = details.retryAfterMs;
    this.incidentId = details.incidentId;
  }
}

// On the prototype: on each error it would cost more than the rest of the error.
Object.defineProperty(HealixError.prototype, BRAND, { value: true });

/** The circuit of the target is open, or half-open with all its probes under way. */
export class CircuitOpenError extends HealixError {
  readonly code = 'HEALIX_CIRCUIT_OPEN';
}

/** The target has as many calls in flight as its policy allows. */
export class OverloadError extends HealixError {
  readonly code = 'HEALIX_OVERLOAD';
}

/** The target has had as many calls as its rate policy allows. */
export class RateLimitError extends HealixError {
  readonly code = 'HEALIX_RATE_LIMIT';
}

/** A call took longer than its attempt's `timeoutMs` or its own `deadlineMs`. */
export class DeadlineError extends HealixError {
  readonly code = 'HEALIX_DEADLINE';
}

/** The target's policy denies the call. */
export class PolicyError extends HealixError {
  readonly code = 'HEALIX_POLICY';
}

/** The runtime was closed. */
export class ClosedError extends HealixError {
  readonly code = 'HEALIX_CLOSED';
}

/**
 * Why a store did not do what it was asked. `unreachable`: no connection. `timeout`: no answer in time, though the
 * operation may have been carried out. `denied`: its user may not. `refused`: it said no (read-only, full).
 * `malformed`: what it answered makes no sense.
 */
export type StoreErrorReason = 'unreachable' | 'timeout' | 'denied' | 'refused' | 'malformed';

/** An operation on the fleet's store failed. A runtime tells its status and events, and nobody else. */
export class StoreError extends HealixError {
  readonly code = 'HEALIX_STORE';
  readonly reason: StoreErrorReason;

  constructor(reason: StoreErrorReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.reason = reason;
  }
}

/** A setting is wrong. Thrown where the setting is given, before anything starts. */
export class ConfigError extends HealixError {
  readonly code = 'HEALIX_CONFIG';
  /** Where the setting stands, such as `targets.upstream:a.circuit.openMs`. */
  readonly path: string;
  readonly given: unknown;
  /** What would have been right, in words. */
  readonly allowed: string;

  constructor(path: string, given: unknown, allowed: string, hint = '') {
    super(`${path}: ${describe(given)} was given; allowed: ${allowed}${hint && `. ${hint}`}`);
    this.path = path;
    this.given = typeof given === 'string' ? withoutCredentials(given) : given;
    this.allowed = allowed;
  }
}

/**
 * True if `error`, or an error that it was caused by, came from healix, whichever copy of it; with a code,
 * only if it has that code.
 */
export function isHealixError(error: unknown, code?: HealixErrorCode): error is HealixError {
  return findHealixError(error, code) !== undefined;
}

/** The HealixError that `error` is, or was caused by. */
export function findHealixError(error: unknown, code?: HealixErrorCode): HealixError | undefined {
  const seen = new Set<unknown>();
  for (let link = error; typeof link === 'object' && link !== null && !seen.has(link); ) {
    seen.add(link);
    const candidate = link as HealixError & { [BRAND]?: boolean };
    if (candidate[BRAND] === true && (code === undefined || candidate.code === code)) return candidate;
    link = candidate.cause;
  }
  return undefined;
}

/** Makes an error without a stack trace, which is nine tenths of its cost: for refusals. */
export function withoutStack<E extends HealixError>(make: () => E): E {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

function describe(given: unknown): string {
  if (typeof given === 'string') return shortened(JSON.stringify(withoutCredentials(given)));
  if (typeof given === 'function') return 'a function';
  if (typeof given === 'bigint') return `${given}n`;
  if (typeof given !== 'object' || given === null) return String(given);
  try {
    return shortened(withoutCredentials(JSON.stringify(given) ?? 'an object'));
  } catch {
    return 'an object';
  }
}

/** Errors are logged: a URL's user and password have no place there. */
function withoutCredentials(text: string): string {
  return text.replace(/(?<=:\/\/)[^"]*@/g, '***@');
}

function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
