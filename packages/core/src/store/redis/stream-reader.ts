import type { FleetNews } from '../store.ts';
import type { RedisClient } from './client.ts';
import { Connection, type Surroundings } from './connection.ts';
import { cursorOf, newsOf } from './replies.ts';

/** The longest that the server is asked to wait for news, in ms. */
const MAX_BLOCK_MS = 5_000;
/** How long after that a silent connection is given up, in ms. */
const GRACE_MS = 2_000;
/** Entries at once: a replica that was away for long reads on in steps. */
const COUNT = '200';

/** Reads the fleet's stream, on a connection that is blocked most of the time. */
export class StreamReader {
  readonly connection: Connection;
  readonly #key: string;

  constructor(redis: RedisClient, key: string, around: Surroundings) {
    this.connection = new Connection(redis, around, undefined);
    this.#key = key;
  }

  async read(cursor: string, waitMs: number, signal: AbortSignal): Promise<FleetNews> {
    signal.throwIfAborted();
    const after = cursorOf(cursor);
    const blockMs = Math.min(Math.floor(waitMs), MAX_BLOCK_MS);
    // BLOCK 0 would wait for ever.
    const block = blockMs >= 1 ? ['BLOCK', String(blockMs)] : [];
    const args = ['COUNT', COUNT, ...block, 'STREAMS', this.#key, after];
    await this.#unlessAborted(this.connection.ready(), signal);
    signal.throwIfAborted();
    const reply = this.connection.send(Math.max(blockMs, 0) + GRACE_MS, 'xread', ...args);
    return newsOf(await this.#unlessAborted(reply, signal), after);
  }

  async #unlessAborted<T>(reply: Promise<T>, signal: AbortSignal): Promise<T> {
    let abort = () => {};
    const aborted = new Promise<never>((_, reject) => {
      abort = () => reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
    });
    try {
      return await Promise.race([reply, aborted]);
    } catch (error) {
      reply.catch(() => {});
      if (signal.aborted || isTimeout(error)) this.connection.renew();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}

function isTimeout(error: unknown): boolean {
  return (error as { reason?: unknown }).reason === 'timeout';
}
