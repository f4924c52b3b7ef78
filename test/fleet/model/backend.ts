import type { Redis } from 'ioredis';
import type { VirtualClock } from '../../../packages/core/src/time/virtual-clock.ts';
import { RedisServer } from '../harness/redis-server.ts';
import { ScriptLibrary, type ScriptName } from './lua.ts';
import { Primary } from './primary.ts';

/** As many primaries may be about at once. */
const DATABASES = 8;

/** A real Redis, whose databases are the model's servers. One world at a time uses it. */
export class Backend {
  readonly #server: RedisServer;
  readonly #databases: readonly Redis[];
  readonly #library: ScriptLibrary;
  #primaries = 0;

  private constructor(server: RedisServer, databases: readonly Redis[], library: ScriptLibrary) {
    this.#server = server;
    this.#databases = databases;
    this.#library = library;
  }

  /** @param change what takes a rule away from the scripts */
  static async start(change?: (name: ScriptName, text: string) => string): Promise<Backend> {
    const server = await RedisServer.start();
    const databases = Array.from({ length: DATABASES }, (_, db) => server.client({ db }));
    const library = await ScriptLibrary.load(databases[0] as Redis, change);
    return new Backend(server, databases, library);
  }

  /** Forgets what the world before has left. */
  async clear(): Promise<void> {
    await this.#databases[0]?.flushall();
    this.#primaries = 0;
  }

  /** A server that is empty. */
  primary(clock: VirtualClock): Primary {
    const database = this.#databases[this.#primaries++ % DATABASES] as Redis;
    return new Primary(database, this.#library, clock, `run${this.#primaries}`);
  }

  async stop(): Promise<void> {
    await this.#server.stop();
  }
}
