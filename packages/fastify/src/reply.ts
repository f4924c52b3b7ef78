import { BODY_HEADERS, exchangeOf, type InboundHooks } from '@healix/core/adapter';
import type { FastifyReply } from 'fastify';

/** How healix answers through Fastify, so that its other hooks have their say. */
export const hooks: InboundHooks<FastifyReply> = {
  answer(reply, { status, headers, body }) {
    if (reply.sent) return;
    for (const name of BODY_HEADERS) reply.removeHeader(name);
    reply.code(status).headers(headers).send(body);
  },
  detach(reply) {
    reply.hijack();
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
