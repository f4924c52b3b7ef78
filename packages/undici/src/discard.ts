import { finished, type Readable } from 'node:stream';
import { DRAIN_MS, LONGEST_DISCARDED } from './held-answer.ts';

type WebStream = Pick<ReadableStream<Uint8Array>, 'getReader'>;
type NodeStream = Pick<Readable, 'on' | 'destroy'>;

/**
 * Reads what is left of the body of a fetch's answer, a stream of the web's or of Node's, so that its connection
 * can be used again; unless it is too long, or comes too late.
 */
export function discard(body: unknown): void {
  const { getReader, on, destroy } = (body ?? {}) as Partial<WebStream & NodeStream>;
  if (typeof getReader === 'function') discardWeb(body as WebStream);
  else if (typeof on === 'function' && typeof destroy === 'function') discardNode(body as Readable);
}

async function discardWeb(body: WebStream): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let size = 0;
  try {
    const reader = body.getReader();
    const cancel = () => reader.cancel().catch(() => {});
    timer = setTimeout(cancel, DRAIN_MS);
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      size += read.value.length;
      if (size > LONGEST_DISCARDED) cancel();
    }
  } catch {
    // The answer broke off, or somebody else reads it.
  } finally {
    clearTimeout(timer);
  }
}

function discardNode(body: Readable): void {
  const destroy = () => void body.destroy();
  const timer = setTimeout(destroy, DRAIN_MS);
  let size = 0;
  finished(body, () => clearTimeout(timer));
  body.on('error', () => {});
  body.on('data', ({ length }) => {
    size += length;
    if (size > LONGEST_DISCARDED) destroy();
  });
}
