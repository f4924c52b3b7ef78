import { subscribe } from 'node:diagnostics_channel';
import type { ServerHttp2Stream } from 'node:http2';

let isSubscribed = false;

/**
 * Has `onReset` hear of streams that end before all of the answer went out. Where the client resets one without an
 * error code, and the answer had begun, no event of Node's tells of it, not even when the session closes; the channel
 * does (Node.js 22.18 and newer).
 */
export function tellOfResets(onReset: (stream: ServerHttp2Stream) => void): void {
  if (isSubscribed) return;
  isSubscribed = true;
  subscribe('http2.server.stream.close', (message) => {
    const { stream } = message as { stream: ServerHttp2Stream };
    // The end of an answer may be with the system already, although the stream has not heard of that yet.
    if (!stream.writableFinished && stream.state.localClose !== 1) onReset(stream);
  });
}
