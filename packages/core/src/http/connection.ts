import type { Socket } from 'node:net';
import type { Exchange } from './exchange.ts';
import { isHttp2 } from './raw.ts';

const OPEN = Symbol('open exchanges');
type Tracked = Socket & { [OPEN]?: Exchange[] };

/**
 * Ends the exchange when its HTTP/1 connection does. The connection is listened to once, not each response: it
 * is cheaper, and on Node 22 a pipelined response that waits for its turn has no 'close' when its client
 * leaves.
 */
export function endWithConnection(exchange: Exchange): void {
  const socket = exchange.req.socket as Tracked;
  const open = socket[OPEN];
  if (open !== undefined) {
    open.push(exchange);
    return;
  }
  socket[OPEN] = [exchange];
  socket.once('close', onClose);
}

/** The exchange is over; the connection may go on. */
export function leaveConnection(exchange: Exchange): void {
  const { req } = exchange;
  const open = isHttp2(req) ? undefined : (req.socket as Tracked)[OPEN];
  if (open === undefined) return;
  const last = open.pop() as Exchange;
  if (last === exchange) return;
  const index = open.indexOf(exchange);
  if (index >= 0) open[index] = last;
  else open.push(last);
}

function onClose(this: Tracked): void {
  for (const exchange of [...(this[OPEN] ?? [])]) exchange.complete();
}
