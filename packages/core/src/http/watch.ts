import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Http2ServerResponse, ServerHttp2Stream } from 'node:http2';
import { endWithConnection } from './connection.ts';
import type { Exchange } from './exchange.ts';
import { tellOfResets } from './http2-resets.ts';
import { isConnectionGone, isHttp2, type RawRequest } from './raw.ts';

/** Marks the raw request; the same for every copy of healix in the process. */
const EXCHANGE: unique symbol = Symbol.for('healix.exchange.1') as never;

type Marked = { [EXCHANGE]?: Exchange };
type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[];
type Method = (...args: unknown[]) => unknown;
type Destroyable = { destroy: Method };

/** The exchange that a raw request is part of. */
export function exchangeOf(req: RawRequest): Exchange | undefined {
  return (req as Marked)[EXCHANGE];
}

/**
 * Follows an exchange to its end. The functions put on the response are shared by all, and none is a listener,
 * since closures and listeners would cost a request more than all the rest.
 */
export function watch(exchange: Exchange): void {
  const { req, res } = exchange;
  (req as Marked)[EXCHANGE] = exchange;
  if (isHttp2(req)) watchHttp2(res as Http2ServerResponse, exchange);
  else watchHttp1(res as ServerResponse, exchange);
  // Its client may have left while something stood before healing: nothing would tell of that again.
  if (isConnectionGone(req)) exchange.complete();
}

function watchHttp1(res: ServerResponse, exchange: Exchange): void {
  exchange.begin = res.writeHead;
  exchange.end = res.end;
  exchange.destroy = res.destroy;
  res.writeHead = writeHead as never;
  res.end = end as never;
  res.destroy = destroy as never;
  endWithConnection(exchange);
}

/** HTTP/2's response does not send its head through `writeHead`. */
function watchHttp2(res: Http2ServerResponse, exchange: Exchange): void {
  const { stream } = res;
  (res as Marked)[EXCHANGE] = exchange;
  (stream as Marked)[EXCHANGE] = exchange;
  exchange.begin = stream.respond;
  exchange.destroy = (res as unknown as Destroyable).destroy;
  stream.respond = respond as never;
  (res as unknown as Destroyable).destroy = destroyHttp2 as Method;
  res.on('close', onHttp2Close);
  tellOfResets(onReset);
}

function writeHead(this: ServerResponse, status: number, reason?: unknown, headers?: Headers): unknown {
  const exchange = exchangeOf(this.req) as Exchange;
  const result = (exchange.begin as Method).call(this, status, reason, headers);
  if (status >= 200) {
    const given = (typeof reason === 'string' ? headers : (headers ?? reason)) as Headers | undefined;
    exchange.answering(status, isEventStream(contentType(given) ?? this.getHeader('content-type')));
  }
  return result;
}

/**
 * Most answers are handed to the system when `end` returns. For the others the response tells when they are; one
 * that a middleware compresses has not even ended by then.
 */
function end(this: ServerResponse, chunk?: unknown, encoding?: unknown, callback?: unknown): unknown {
  const exchange = exchangeOf(this.req) as Exchange;
  const result = (exchange.end as Method).call(this, chunk, encoding, callback);
  if (!exchange.released) {
    // Not a number for a stand-in of a socket, as on a serverless platform.
    const isWaiting = this.writableLength > 0;
    if (this.writableEnded && this.socket && !isWaiting) exchange.complete();
    else this.once('finish', onHttp1Close).once('close', onHttp1Close);
  }
  return result;
}

function destroy(this: ServerResponse, error?: Error): unknown {
  const exchange = exchangeOf(this.req) as Exchange;
  exchange.breakingOff(error);
  return (exchange.destroy as Method).call(this, error);
}

function onHttp1Close(this: ServerResponse): void {
  exchangeOf(this.req)?.complete();
}

function respond(this: ServerHttp2Stream, headers?: OutgoingHttpHeaders, options?: unknown): unknown {
  const exchange = (this as Marked)[EXCHANGE] as Exchange;
  const result = (exchange.begin as Method).call(this, headers, options);
  exchange.answering(Number(headers?.[':status'] ?? 200), isEventStream(headers?.['content-type']));
  return result;
}

function destroyHttp2(this: Marked, error?: Error): unknown {
  const exchange = this[EXCHANGE] as Exchange;
  exchange.breakingOff(error);
  return (exchange.destroy as Method).call(this, error);
}

function onHttp2Close(this: Marked): void {
  this[EXCHANGE]?.complete();
}

function onReset(stream: ServerHttp2Stream): void {
  (stream as Marked)[EXCHANGE]?.complete();
}

/** The content type among headers given to `writeHead`: an object, a flat list, or a list of pairs. */
function contentType(headers: Headers | undefined): unknown {
  if (headers === undefined || headers === null) return undefined;
  if (!Array.isArray(headers)) return headers['content-type'] ?? headers['Content-Type'];
  for (let i = 0; i < headers.length; i++) {
    const item = headers[i];
    if (Array.isArray(item)) {
      if (/^content-type$/i.test(String(item[0]))) return item[1];
    } else if (i % 2 === 0 && /^content-type$/i.test(String(item))) {
      return headers[i + 1];
    }
  }
  return undefined;
}

function isEventStream(type: unknown): boolean {
  return typeof type === 'string' && type.startsWith('text/event-stream');
}
