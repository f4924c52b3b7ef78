import {
  type Answer,
  BODY_HEADERS,
  exchangeOf,
  type InboundHooks,
  type RawResponse,
  sendAnswer,
} from '@healix/core/adapter';
import type { FastifyReply } from 'fastify';

/** How healix answers through Fastify. */
export const hooks: InboundHooks<FastifyReply> = {
  answer(reply, answer) {
    if (reply.sent) return;
    if (exchangeOf(reply.request.raw) === undefined) refuse(reply, answer);
    else answerLate(reply, answer);
  },
  detach(reply) {
    reply.hijack();
  },
};

/** No handler runs beside this answer: Fastify sends it, so that its other hooks have their say. */
function refuse(reply: FastifyReply, { status, headers, body }: Answer): void {
  for (const name of BODY_HEADERS) reply.removeHeader(name);
  reply.code(status).headers(headers).serializer(asIs).send(body);
}

/** In place of a serializer that was set for the handler's answer; an error's own answer may be an object. */
function asIs(payload: unknown): string {
  return typeof payload === 'string' ? payload : JSON.stringify(payload);
}

/**
 * The handler goes on, and its answer may be on its way through hooks already, which Fastify can not call back:
 * this answer is sent whole at once, and whatever comes after it finds a response that no longer listens.
 */
function answerLate(reply: FastifyReply, answer: Answer): void {
  const { raw } = reply;
  reply.hijack();
  if (raw.destroyed) return;
  const headers = reply.getHeaders();
  for (const name in headers) setHeader(raw, name, headers[name]);
  sendAnswer(raw, answer);
  Object.assign(raw, DEAF);
}

function setHeader(raw: FastifyReply['raw'], name: string, value: unknown): void {
  try {
    raw.setHeader(name, value as string);
  } catch {
    // A header that the handler's own answer could not have been sent with either.
  }
}

/** A response that was ended: writing to it, or breaking it off, would throw, or harm what was sent. */
const DEAF = {
  writeHead(this: RawResponse) {
    return this;
  },
  write() {
    return true;
  },
  end(this: RawResponse) {
    return this;
  },
  destroy(this: RawResponse) {
    return this;
  },
};

type Hijack = FastifyReply['hijack'];
const original = new WeakMap<object, Hijack>();

/** Has `reply.hijack()` end the exchange, by one change to the prototype that all replies of a scope share. */
export function tellOfHijack(reply: FastifyReply): void {
  if (reply.hijack === hijack) return;
  const prototype = Object.getPrototypeOf(reply);
  original.set(prototype, reply.hijack);
  prototype.hijack = hijack;
}

function hijack(this: FastifyReply): FastifyReply {
  exchangeOf(this.request.raw)?.takenOver();
  let prototype = Object.getPrototypeOf(this);
  while (!original.has(prototype)) prototype = Object.getPrototypeOf(prototype);
  return (original.get(prototype) as Hijack).call(this);
}
