import { type Answer, sendLateAnswer } from '@healix/core/adapter';
import type { FastifyReply } from 'fastify';

/**
 * The handler goes on, and its answer may be on its way through hooks already, which Fastify can not call back:
 * this answer is sent whole at once, and whatever comes after it finds a response that no longer listens. Fastify
 * would drop what the handler of a hijacked reply returns: as a reply that was sent, it is given that to discard.
 */
export function answerLate(reply: FastifyReply, answer: Answer): void {
  const { raw } = reply;
  if (!raw.destroyed) {
    const headers = reply.getHeaders();
    for (const name in headers) setHeader(raw, name, headers[name]);
    sendLateAnswer(raw, answer);
  }
  Object.defineProperties(reply, { sent: { value: true }, send: { value: discardPayload } });
}

function setHeader(raw: FastifyReply['raw'], name: string, value: unknown): void {
  try {
    raw.setHeader(name, value as string);
  } catch {
    // A header that the handler's own answer could not have been sent with either.
  }
}

/** What a payload that is a stream may offer, of Node, of the web, or of older libraries. */
interface Source {
  on?(event: 'error', listener: () => void): void;
  destroy?(): void;
  close?(done: () => void): void;
  abort?(): void;
  cancel?(): Promise<void>;
}

/** In place of `reply.send`: lets go of the file or the connection that a stream holds. */
function discardPayload(this: FastifyReply, payload: unknown): FastifyReply {
  const source: Source | null | undefined = payload instanceof Response ? payload.body : (payload as Source);
  if (isStream(source)) discard(source);
  return this;
}

function isStream(payload: unknown): payload is Source {
  const { pipe, getReader } = (payload ?? {}) as Record<string, unknown>;
  return typeof pipe === 'function' || typeof getReader === 'function';
}

function discard(source: Source): void {
  source.on?.('error', ignore);
  if (source.destroy) source.destroy();
  else if (source.cancel) source.cancel().catch(ignore);
  else if (source.close) source.close(ignore);
  else source.abort?.();
}

function ignore(): void {}
