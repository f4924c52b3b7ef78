import type { Outcome } from './config/schema.ts';
import { isHealixError } from './errors.ts';

/** The answers of fetch (`status`), undici and Node (`statusCode`), and what axios and got hang on errors. */
interface AnswerLike {
  status?: unknown;
  statusCode?: unknown;
  headers?: unknown;
  response?: unknown;
}

/**
 * What a call of someone else came to: 5xx, a thrown error and a timeout are failures; 429, and 503 with
 * Retry-After, are overload. An error that carries a 4xx is the caller's own mistake and a success of the
 * other side's. A refusal by another target, or the caller's own abort, says nothing.
 */
export function classifyOutbound(threw: boolean, value: unknown): Outcome {
  if (typeof value !== 'object' || value === null) return threw ? 'failure' : 'success';
  try {
    return classify(threw, value);
  } catch {
    return threw ? 'failure' : 'success';
  }
}

const OUTCOMES: ReadonlySet<unknown> = new Set<Outcome>(['success', 'failure', 'overload', 'ignored']);

export function isOutcome(value: unknown): value is Outcome {
  return OUTCOMES.has(value);
}

/** Properties of a stranger's object may throw when they are read. */
function classify(threw: boolean, value: object): Outcome {
  const status = statusOf(value as AnswerLike, threw);
  if (status !== undefined) {
    if (status === 429 || (status === 503 && retryAfterOf(threw, value) > 0)) return 'overload';
    if (status >= 500) return 'failure';
    if (!threw || status >= 400) return 'success';
  }
  if (!threw) return 'success';
  return isRefusal(value) || (value as Error).name === 'AbortError' ? 'ignored' : 'failure';
}

/** Ms that an answer's, or an error's, Retry-After asks for; 0 where there is none. */
export function retryAfterOf(threw: boolean, value: unknown, wallMs: number = 0): number {
  if (typeof value !== 'object' || value === null) return 0;
  try {
    const answer = (threw ? ((value as AnswerLike).response ?? value) : value) as AnswerLike;
    return parseRetryAfter(headerOf(answer.headers, 'retry-after'), wallMs);
  } catch {
    return 0;
  }
}

/** Ms in a Retry-After header: seconds, or an HTTP date seen from `wallMs`. 0 when it makes no sense. */
export function parseRetryAfter(header: string | undefined, wallMs: number): number {
  if (header === undefined) return 0;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const date = /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? 0 : Math.max(0, date - wallMs);
}

function statusOf(answer: AnswerLike, threw: boolean): number | undefined {
  const { status, statusCode } = answer;
  if (typeof status === 'number') return status;
  if (typeof statusCode === 'number') return statusCode;
  if (!threw || typeof answer.response !== 'object' || answer.response === null) return undefined;
  return statusOf(answer.response as AnswerLike, false);
}

function headerOf(headers: unknown, name: string): string | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined;
  const { get } = headers as { get?: unknown };
  const value =
    typeof get === 'function' ? get.call(headers, name) : (headers as Record<string, unknown>)[name];
  const first = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' ? first : typeof first === 'number' ? String(first) : undefined;
}

function isRefusal(error: unknown): boolean {
  return (
    isHealixError(error, 'HEALIX_CIRCUIT_OPEN') ||
    isHealixError(error, 'HEALIX_OVERLOAD') ||
    isHealixError(error, 'HEALIX_RATE_LIMIT') ||
    isHealixError(error, 'HEALIX_POLICY')
  );
}
