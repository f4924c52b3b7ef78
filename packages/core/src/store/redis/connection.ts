import { StoreError } from '../../errors.ts';
import type { Clock, Timer } from '../../time/clock.ts';
import type { Random } from '../../time/random.ts';
import { backOffMs } from '../back-off.ts';
import { HANDSHAKE_MS, type OwnClient, openClient, type RedisClient } from './client.ts';
import { toStoreError } from './store-error.ts';

export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
}

/** One connection of our own: bounded in time, and silent. */
export class Connection {
  readonly #redis: RedisClient;
  readonly #commandMs: number | undefined;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #onChange: () => void;
  /** Settles when the first attempt to connect has succeeded or failed. */
  readonly #attempted: Promise<void>;
  readonly #whenReady = new Set<() => void>();
  /** Undefined between one that was given up and the next. */
  #client: OwnClient | undefined;
  #reopening: Timer | undefined;
  /** Clients in a row, since one was ready. */
  #givenUp = 0;
  /** Replicas alive, which will all connect again at the same time. */
  live = 1;

  /** @param onChange called whenever another server may answer from now on */
  constructor(
    redis: RedisClient,
    { clock, random }: Surroundings,
    commandMs: number | undefined,
    onChange: () => void = () => {},
  ) {
    this.#redis = redis;
    this.#commandMs = commandMs;
    this.#clock = clock;
    this.#random = random;
    this.#onChange = onChange;
    const client = this.#open();
    const attempted = new Promise<void>((resolve) => {
      for (const event of ['ready', 'close', 'end']) client.on(event, resolve);
    });
    this.#attempted = this.#within(HANDSHAKE_MS, attempted).catch(() => undefined);
  }

  /** Sends a command, once. Rejects with a StoreError, after `ms` at the latest. */
  async send(ms: number, command: string, ...args: string[]): Promise<unknown> {
    const client = this.#client;
    if (client?.status !== 'ready') throw notConnected();
    try {
      return await this.#within(ms, client.call(command, ...args));
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
    let resolve = () => {};
    const isReady = new Promise<void>((done) => {
      resolve = done;
    });
    this.#whenReady.add(resolve);
    try {
      await this.#within(HANDSHAKE_MS, isReady);
    } finally {
      this.#whenReady.delete(resolve);
    }
  }

  /**
   * Gives up this connection for a new one: the client would believe for ever in a server that is frozen. The client
   * goes with it, since one of a Cluster that follows a redirection while it disconnects never connects again.
   */
  renew(): void {
    const given = this.#client;
    if (given === undefined) return;
    this.#client = undefined;
    this.#givenUp += 1;
    given.disconnect();
    this.#onChange();
    this.#reopening = this.#clock.setTimer(() => {
      // What it has connected to since.
      given.disconnect();
      this.#open();
    }, this.#retryMs(this.#givenUp));
  }

  close(): void {
    this.#reopening?.cancel();
    const client = this.#client;
    this.#client = undefined;
    client?.disconnect();
  }

  get #isReady(): boolean {
    return this.#client?.status === 'ready';
  }

  #open(): OwnClient {
    const client = openClient(this.#redis, this.#commandMs, (attempt) => this.#retryMs(attempt));
    this.#client = client;
    client.on('ready', () => client === this.#client && this.#becomeReady());
    // It tries no more.
    client.on('end', () => client === this.#client && this.renew());
    for (const event of ['ready', 'close', 'refresh', '+node', '-node']) {
      client.on(event, () => client === this.#client && this.#onChange());
    }
    return client;
  }

  #becomeReady(): void {
    this.#givenUp = 0;
    for (const resolve of this.#whenReady) resolve();
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
    return backOffMs(attempt, this.live, this.#random);
  }
}

function notConnected(): StoreError {
  return new StoreError('unreachable', 'no connection to Redis');
}
