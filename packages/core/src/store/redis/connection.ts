import { StoreError } from '../../errors.ts';
import type { Clock } from '../../time/clock.ts';
import type { Random } from '../../time/random.ts';
import { HANDSHAKE_MS, type OwnClient, openClient, type RedisClient } from './client.ts';
import { toStoreError } from './store-error.ts';

const SHORTEST_RETRY_MS = 250;
const RETRY_A_REPLICA_MS = 2;
const LONGEST_RETRY_MS = 5_000;
/** However many replicas there are said to be. */
const LONGEST_RETRY_FOR_ALL_MS = 20_000;

export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
}

/** One connection of our own: bounded in time, and silent. */
export class Connection {
  readonly #client: OwnClient;
  readonly #clock: Clock;
  readonly #random: Random;
  /** Settles when the first attempt to connect has succeeded or failed. */
  readonly #attempted: Promise<void>;
  #whenReady: (() => void)[] = [];
  /** Given up, but not closed yet. */
  #ending = false;
  /** Replicas alive, which will all connect again at the same time. */
  live = 1;

  constructor(redis: RedisClient, { clock, random }: Surroundings, commandMs: number | undefined) {
    this.#clock = clock;
    this.#random = random;
    this.#client = openClient(redis, commandMs, (attempt) => this.#retryMs(attempt));
    const attempted = new Promise<void>((resolve) => {
      for (const event of ['ready', 'close', 'end']) this.#client.on(event, resolve);
    });
    this.#attempted = this.#within(HANDSHAKE_MS, attempted).catch(() => undefined);
    this.#client.on('close', () => {
      this.#ending = false;
    });
    this.#client.on('ready', () => {
      for (const resolve of this.#whenReady.splice(0)) resolve();
    });
  }

  /** Calls `listener` whenever another server may answer from now on. */
  onChange(listener: () => void): void {
    for (const event of ['ready', 'close', 'refresh', '+node', '-node']) this.#client.on(event, listener);
  }

  /** Sends a command, once. Rejects with a StoreError, after `ms` at the latest. */
  async send(ms: number, command: string, ...args: string[]): Promise<unknown> {
    if (!this.#isReady) throw notConnected();
    try {
      return await this.#within(ms, this.#client.call(command, ...args));
    } catch (error) {
      throw toStoreError(error);
    }
  }

  /** Waits for the first attempt to connect, and for no other: a store that is away is soon known to be. */
  async opened(): Promise<void> {
    if (!this.#isReady) await this.#attempted;
    if (!this.#isReady) throw notConnected();
  }

  /** Waits for a connection, for as long as a handshake may take. */
  async ready(): Promise<void> {
    if (this.#isReady) return;
    await this.#within(HANDSHAKE_MS, new Promise<void>((resolve) => this.#whenReady.push(resolve)));
  }

  /** Gives up this connection for a new one: the client would believe for ever in a server that is frozen. */
  renew(): void {
    this.#ending = true;
    this.#client.disconnect(true);
  }

  close(): void {
    this.#client.disconnect();
  }

  get #isReady(): boolean {
    return this.#client.status === 'ready' && !this.#ending;
  }

  /** Rejects once `ms` have passed, but not where the reply has come while this process was busy. */
  #within<T>(ms: number, work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const expire = () => reject(new StoreError('timeout', `Redis did not answer within ${ms} ms`));
      let timer = this.#clock.setTimer(() => {
        timer = this.#clock.setTimer(expire, 0);
      }, ms);
      work.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  #retryMs(attempt: number): number {
    const forAllMs = Math.min(this.live * RETRY_A_REPLICA_MS, LONGEST_RETRY_FOR_ALL_MS);
    const first = Math.max(SHORTEST_RETRY_MS, forAllMs);
    const most = Math.min(first * 2 ** Math.min(attempt - 1, 10), Math.max(first, LONGEST_RETRY_MS));
    return Math.ceil(this.#random.next() * most);
  }
}

function notConnected(): StoreError {
  return new StoreError('unreachable', 'no connection to Redis');
}
