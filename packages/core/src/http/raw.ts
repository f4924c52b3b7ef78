import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

/** Node's own request, of HTTP/1 or of HTTP/2's compatibility interface. */
export type RawRequest = IncomingMessage | Http2ServerRequest;
/** Node's own response, of HTTP/1 or of HTTP/2's compatibility interface. */
export type RawResponse = ServerResponse | Http2ServerResponse;

export function isHttp2(req: RawRequest): req is Http2ServerRequest {
  return req.httpVersionMajor >= 2;
}

/** Whether the client has left, or is leaving: what is destroyed from now on is not the server's own doing. */
export function isClientGone(req: RawRequest): boolean {
  if (req.aborted) return true;
  if (isHttp2(req)) return req.stream.aborted || req.stream.destroyed || req.stream.rstCode > 0;
  return isConnectionGone(req) || req.socket?.readableEnded === true;
}

/** Whether all of the answer went to the system. */
export function isSent(req: RawRequest, res: RawResponse): boolean {
  // A response that was ended tells of no abort; its stream knows whether all of it was sent.
  if (isHttp2(req)) return res.writableEnded && !req.aborted && req.stream.writableFinished;
  return res.writableFinished || (res.writableEnded && !isClientGone(req));
}

/** Whether nothing can reach the client any more, nor come from it. */
export function isConnectionGone(req: RawRequest): boolean {
  return isHttp2(req) ? req.stream.destroyed || req.stream.closed : req.socket?.destroyed === true;
}

/** A browser's question whether it may ask: not a call of the service. */
export function isPreflight(req: RawRequest): boolean {
  return req.method === 'OPTIONS' && req.headers['access-control-request-method'] !== undefined;
}

/** Whether a server's 'upgrade' is being routed with a response that leads nowhere, as WebSocket libraries do it. */
export function isUpgraded(req: RawRequest, res: RawResponse): boolean {
  return (req as { upgrade?: unknown }).upgrade === true && res.socket === null;
}

/** Whether a body of the request may still be on its way on an HTTP/1 connection. */
export function hasUnreadBody(req: RawRequest): boolean {
  if (isHttp2(req) || req.complete) return false;
  const { 'transfer-encoding': encoding, 'content-length': length } = req.headers;
  return encoding !== undefined || (length !== undefined && Number(length) !== 0);
}

/** Whether the server has read all that came of a request, and waits for its client to send the rest. */
export function isClientSending(req: RawRequest): boolean {
  if (req.readableEnded || req.readableLength > 0 || (!isHttp2(req) && req.complete)) return false;
  return req.readableDidRead || req.readableFlowing === true || req.listenerCount('readable') > 0;
}
