import { EventEmitter } from 'node:events';
import { STATUS_CODES } from 'node:http';
import type { DeadlineError } from '../errors.ts';
import type { Rejection, RejectionReason } from '../permit.ts';
import type { Target } from '../target.ts';
import { hasUnreadBody, isHttp2, type RawRequest, type RawResponse } from './raw.ts';

/** An answer of healix's own, in place of the handler's. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const STATUS: Record<Exclude<RejectionReason, 'policy'>, number> = {
  'circuit-open': 503,
  concurrency: 503,
  rate: 429,
};

/** What a client is told when its request is refused: problem+json (RFC 9457), and when to try again. */
export function refusalAnswer(req: RawRequest, rejection: Rejection): Answer {
  const { reason, detail, retryAfterMs, target } = rejection;
  const status = reason === 'policy' ? rejection.status : STATUS[reason];
  const headers: Record<string, string> = { 'content-type': 'application/problem+json' };
  if (status === 503 || status === 429) {
    headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfterMs / 1_000)));
  }
  if (endsConnection(req)) headers.connection = 'close';
  const { name, incidentId } = target;
  return {
    status,
    headers,
    body: problem(status, reason, detail, { target: name, retryAfterMs, incidentId }),
  };
}

/** What a client is told when the route's deadline passed before the handler answered. */
export function deadlineAnswer(req: RawRequest, error: DeadlineError, target: Target): Answer {
  const headers: Record<string, string> = { 'content-type': 'application/problem+json' };
  if (endsConnection(req)) headers.connection = 'close';
  const { name, incidentId } = target;
  const body = problem(504, 'deadline', 'the deadline passed', { target: error.target ?? name, incidentId });
  return { status: 504, headers, body };
}

/** Headers that speak of a body which is not sent after all. */
export const BODY_HEADERS = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-range',
  'content-length',
  'etag',
  'expires',
  'last-modified',
  'trailer',
  'transfer-encoding',
] as const;

/** Sends an answer over Node's own response, in place of one that was begun but not sent. */
export function sendAnswer(res: RawResponse, { status, headers, body }: Answer): void {
  for (const name of BODY_HEADERS) res.removeHeader(name);
  res.statusCode = status;
  for (const name in headers) res.setHeader(name, headers[name] as string);
  res.setHeader('content-length', Buffer.byteLength(body));
  res.end(body);
}

/**
 * Sends an answer in place of a handler that goes on: whatever that still sends is taken, and nothing done with it.
 * Behind a request that is not answered yet, Node would throw for it where nobody can catch it.
 */
export function sendLateAnswer(res: RawResponse, answer: Answer): void {
  sendAnswer(res, answer);
  deafen(res);
}

/** Has a response that was ended listen no more: what would throw, or harm what was sent, does nothing. */
function deafen(res: RawResponse): void {
  const { writeHead } = res;
  const prototype = Object.getPrototypeOf(res);
  const self = () => res;
  for (const name of methodsOf(prototype)) {
    if (/^(set|append|remove|add|flush|write)[A-Z]/.test(name)) (res as unknown as Methods)[name] = self;
  }
  Object.assign(res, {
    /** Who wraps `end` may still be about to send the head. */
    writeHead: (...args: unknown[]) =>
      Reflect.get(prototype, 'headersSent', res) ? res : Reflect.apply(writeHead, res, args),
    write(...args: unknown[]) {
      callBack(args);
      return true;
    },
    end(...args: unknown[]) {
      callBack(args);
      return res;
    },
    destroy: self,
  });
}

type Methods = Record<string, () => unknown>;

/** Names of all methods of a response that are Node's. */
function methodsOf(prototype: object): string[] {
  const names: string[] = [];
  for (
    let next = prototype;
    next !== null && next !== EventEmitter.prototype;
    next = Object.getPrototypeOf(next)
  ) {
    names.push(...Object.getOwnPropertyNames(next));
  }
  return names;
}

function callBack(args: unknown[]): void {
  const done = args.findLast((argument) => typeof argument === 'function');
  if (done) queueMicrotask(done as () => void);
}

/** Whether what the client sends next on its connection may be no request: a body, or another protocol. */
function endsConnection(req: RawRequest): boolean {
  return hasUnreadBody(req) || (!isHttp2(req) && req.headers.upgrade !== undefined);
}

function problem(
  status: number,
  reason: string,
  detail: string,
  { retryAfterMs, ...more }: { target: string; retryAfterMs?: number; incidentId: string | undefined },
): string {
  return JSON.stringify({
    type: `urn:healix:${reason}`,
    title: STATUS_CODES[status] ?? 'Refused',
    status,
    detail,
    reason,
    ...more,
    ...(retryAfterMs === undefined ? undefined : { retryAfterMs: Math.ceil(retryAfterMs) }),
  });
}
