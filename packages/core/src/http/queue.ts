import type { Socket } from 'node:net';
import type { Exchange } from './exchange.ts';

/**
 * Pipelined responses that wait for their turn: on Node 22 such a response has no 'close' when its client
 * leaves, only the socket has.
 */
const queued = new WeakMap<Socket, Set<Exchange>>();
let everQueued = false;

export function watchQueued(exchange: Exchange): void {
  const { socket } = exchange.req;
  const waiting = queued.get(socket);
  if (waiting !== undefined) {
    waiting.add(exchange);
    return;
  }
  everQueued = true;
  queued.set(socket, new Set([exchange]));
  socket.once('close', onSocketClose);
}

export function unwatchQueued(exchange: Exchange): void {
  if (everQueued) queued.get(exchange.req.socket)?.delete(exchange);
}

function onSocketClose(this: Socket): void {
  for (const exchange of queued.get(this) ?? []) exchange.complete();
  queued.delete(this);
}
