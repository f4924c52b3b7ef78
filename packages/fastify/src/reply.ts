import { BODY_HEADERS, exchangeOf, type InboundHooks } from '@healix/core/adapter';
import type { FastifyReply } from 'fastify';
import { answerLate } from './late-answers.ts';

/** How healix answers through Fastify. */
export const hooks: InboundHooks<FastifyReply> = {
  /** No handler runs beside this answer: Fastify sends it, so that its other hooks have their say. */
  refuse(reply, { status, headers, body }) {
    if (reply.sent) return;
    for (const name of BODY_HEADERS) reply.removeHeader(name);
    reply.code(status).headers(headers).serializer(asIs).send(body);
  },
  answerLate(reply, answer) {
    if (!reply.sent) answerLate(reply, answer);
  },
  detach(reply) {
    reply.hijack();
  },
};

/** In place of a serializer that was set for the handler's answer; an error's own answer may be an object. */
function asIs(payload: unknown): string {
  return typeof payload === 'string' ? payload : JSON.stringify(payload);
}

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
