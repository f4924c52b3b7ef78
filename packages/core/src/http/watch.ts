import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Http2ServerResponse, ServerHttp2Stream } from 'node:http2';
import type { Exchange } from './exchange.ts';
import { unwatchQueued, watchQueued } from './queue.ts';
import { isHttp2, type RawRequest } from './raw.ts';

/** Marks the raw request, its response and stream; the same for every copy of healix in the process. */
export const EXCHANGE: unique symbol = Symbol.for('healix.exchange.1') as never;

type Marked = { [EXCHANGE]?: Exchange };
type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[];
type Method = (...args: unknown[]) => unknown;

/** The exchange that a raw request is part of. */
export function exchangeOf(req: RawRequest): Exchange | undefined {
  return (req as Marked)[EXCHANGE];
}

/**
 * Follows an exchange to its end. The functions put on the response are shared by all: a closure a request
 * would cost more than the rest.
 */
export function watch(exchange: Exchange): void {
  const { req, res } = exchange;
  (req as Marked)[EXCHANGE] = exchange;
  (res as Marked)[EXCHANGE] = exchange;
  exchange.destroy = res.destroy;
  res.destroy = destroy as never;
  if (isHttp2(req)) watchStream((res as Http2ServerResponse).stream, exchange);
  else watchHead(res as ServerResponse, exchange);
  (res as ServerResponse).on('close', onClose);
}

function watchHead(res: ServerResponse, exchange: Exchange): void {
  exchange.begin = res.writeHead;
  res.writeHead = writeHead as never;
  if (res.socket === null) watchQueued(exchange);
}

/** HTTP/2's response does not send its head through `writeHead`. */
function watchStream(stream: ServerHttp2Stream, exchange: Exchange): void {
  (stream as Marked)[EXCHANGE] = exchange;
  exchange.begin = stream.respond;
  stream.respond = respond as never;
}

function writeHead(this: ServerResponse, status: number, reason?: unknown, headers?: Headers): unknown {
  const exchange = (this as Marked)[EXCHANGE] as Exchange;
  const result = (exchange.begin as Method).call(this, status, reason, headers);
  if (status >= 200) {
    const given = (typeof reason === 'string' ? headers : (headers ?? reason)) as Headers | undefined;
    exchange.answering(status, isEventStream(contentType(given) ?? this.getHeader('content-type')));
  }
  return result;
}

function respond(this: ServerHttp2Stream, headers?: OutgoingHttpHeaders, options?: unknown): unknown {
  const exchange = (this as Marked)[EXCHANGE] as Exchange;
  const result = (exchange.begin as Method).call(this, headers, options);
  exchange.answering(Number(headers?.[':status'] ?? 200), isEventStream(headers?.['content-type']));
  return result;
}

function destroy(this: ServerResponse, error?: Error): unknown {
  const exchange = (this as Marked)[EXCHANGE] as Exchange;
  exchange.breakingOff(error);
  return (exchange.destroy as Method).call(this, error);
}

function onClose(this: ServerResponse): void {
  const exchange = (this as Marked)[EXCHANGE] as Exchange;
  unwatchQueued(exchange);
  exchange.complete();
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
