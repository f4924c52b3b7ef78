import type { Socket } from 'node:net';
import { isHttp2, type RawRequest } from './raw.ts';

/** What ends with its connection, if not before. */
interface Connected {
  readonly req: RawRequest;
  complete(): void;
  /** The server itself has ended the connection, since nothing went on there for too long. */
  timedOut(): void;
}

const OPEN = Symbol('open exchanges');
type Tracked = Socket & { [OPEN]?: Connected[] };

/**
 * Ends the exchange when its HTTP/1 connection does. The connection is listened to once, not each response: it
 * is cheaper, and on Node 22 a pipelined response that waits for its turn has no 'close' when its client
 * leaves.
 */
export function endWithConnection(exchange: Connected): void {
  const socket = exchange.req.socket as Tracked | undefined;
  if (socket === undefined) return;
  const open = socket[OPEN];
  if (open !== undefined) {
    open.push(exchange);
    return;
  }
  socket[OPEN] = [exchange];
  // What stands in for a socket where there is none (serverless adapters, injected requests) may tell of no end.
  socket.once?.('close', onClose);
  socket.on?.('timeout', onTimeout);
}

/** The exchange is over; the connection may go on. */
export function leaveConnection(exchange: Connected): void {
  const { req } = exchange;
  const open = isHttp2(req) ? undefined : (req.socket as Tracked | undefined)?.[OPEN];
  if (open === undefined) return;
  // Nearly always it is the only one.
  const last = open.pop();
  if (last === exchange || last === undefined) return;
  const index = open.lastIndexOf(exchange);
  if (index < 0) open.push(last);
  else open[index] = last;
}

function onClose(this: Tracked): void {
  for (const exchange of [...(this[OPEN] ?? [])]) exchange.complete();
}

/** Node destroys what is silent before this is called, unless the user has something else done. */
function onTimeout(this: Tracked): void {
  if (!this.destroyed) return;
  for (const exchange of [...(this[OPEN] ?? [])]) exchange.timedOut();
}
