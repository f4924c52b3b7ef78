import { StoreError } from '../../errors.ts';
import type { Clock } from '../../time/clock.ts';
import type { Random } from '../../time/random.ts';
import { HANDSHAKE_MS, type OwnClient, openClient, type RedisClient } from './client.ts';
import { toStoreError } from './store-error.ts';

const MAX_RETRY_MS = 5_000;

export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
}

/** One connection of our own: bounded in time, and silent. */
export class Connection {
  readonly #client: OwnClient;
  readonly #clock: Clock;
  readonly #random: Random;
  /** Done with when the first attempt to connect is: only that one is waited for. */
  readonly #opened: Promise<void>;
  /** Replicas alive, which will all connect again at the same time. */
  live = 1;

  constructor(redis: RedisClient, { clock, random }: Surroundings, commandMs: number | undefined) {
    this.#clock = clock;
    this.#random = random;
    this.#client = openClient(redis, commandMs, (attempt) => this.#retryMs(attempt));
    this.#opened = this.within(
      HANDSHAKE_MS,
      new Promise<void>((settled) => {
        for (const event of ['ready', 'close', 'end']) this.#client.on(event, () => settled());
      }),
    ).catch(() => {});
  }

  /** Calls `listener` whenever another server may answer from now on. */
  onChange(listener: () => void): void {
    for (const event of ['ready', 'close', 'refresh', '+node', '-node']) this.#client.on(event, listener);
  }

  /** Sends a command once. Rejects with a StoreError, after `ms` at the latest. */
  async send(ms: number, command: string, ...args: string[]): Promise<unknown> {
    await this.opened();
    try {
      return await this.within(ms, this.#client.call(command, ...args));
    } catch (error) {
      throw toStoreError(error);
    }
  }

  async opened(): Promise<void> {
    if (this.#client.status === 'ready') return;
    await this.#opened;
    if (this.#client.status !== 'ready') throw new StoreError('unreachable', 'Redis is not connected');
  }

  /** Rejects once `ms` have passed, but not for a reply that has come while this process was busy. */
  within<T>(ms: number, work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const expire = () => reject(new StoreError('timeout', `Redis did not answer within ${ms} ms`));
      const timer = this.#clock.setTimer(() => this.#clock.afterPoll(expire), ms);
      work.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  /** Gives up this connection for a new one: the client would believe for ever in a server that is frozen. */
  renew(): void {
    this.#client.disconnect(true);
  }

  close(): void {
    this.#client.disconnect();
  }

  #retryMs(attempt: number): number {
    const most = Math.max(250, this.live * 2) * 2 ** Math.min(attempt - 1, 10);
    return Math.ceil(this.#random.next() * Math.min(most, Math.max(MAX_RETRY_MS, this.live * 2)));
  }
}
