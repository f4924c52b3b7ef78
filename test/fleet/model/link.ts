import type { OwnClient, RedisClient } from '../../../packages/core/src/store/redis/client.ts';
import type { Clock } from '../../../packages/core/src/time/clock.ts';
import type { Random } from '../../../packages/core/src/time/random.ts';
import type { Execution, Primary } from './primary.ts';
import type { ReplicaClock } from './replica-clock.ts';

/** What the way between one replica and its primary is like. */
export interface LinkQuality {
  /** Ms that a message takes, each way: between these two. */
  delayMs: readonly [number, number];
  /** Share of the messages that are lost, each way. */
  loss: number;
  /** Share of the requests that arrive twice. */
  twice: number;
  /** Nothing gets through. */
  cut: boolean;
}

export const GOOD: LinkQuality = { delayMs: [0.2, 2], loss: 0, twice: 0, cut: false };

interface ClientOptions {
  readonly connectTimeout: number;
  readonly retryStrategy: (attempt: number) => number;
}

export interface LinkEnvironment {
  readonly world: Clock;
  readonly replica: ReplicaClock;
  readonly random: Random;
  /** What the server has done on this replica's behalf. */
  heard(execution: Execution): void;
}

/** One replica's way to Redis, in the place of ioredis: messages are late, get lost, and arrive twice. */
export class Link implements RedisClient {
  readonly quality: LinkQuality = { ...GOOD };
  readonly #environment: LinkEnvironment;
  readonly #clients: LinkClient[] = [];
  #primary: Primary;

  constructor(primary: Primary, environment: LinkEnvironment) {
    this.#primary = primary;
    this.#environment = environment;
  }

  get primary(): Primary {
    return this.#primary;
  }

  duplicate(options?: unknown): OwnClient {
    const client = new LinkClient(this, options as ClientOptions, this.#environment);
    this.#clients.push(client);
    return client;
  }

  /** Another primary is in charge: connections end, and are made anew to that one. */
  moveTo(primary: Primary): void {
    this.#primary = primary;
    this.reset();
  }

  /** All connections end. */
  reset(): void {
    for (const client of this.#clients) client.lose();
  }

  /** A command and its reply; a message that is lost leaves the sender waiting. */
  async carry(command: string, args: readonly string[]): Promise<unknown> {
    const { random, replica, heard } = this.#environment;
    const primary = this.#primary;
    const isTwice = random.next() < this.quality.twice;
    await this.cross();
    if (isTwice) void this.#again(primary, command, args);
    try {
      return await primary.execute(command, args, heard);
    } finally {
      await this.cross();
      await replica.awake();
    }
  }

  async cross(): Promise<void> {
    const { random } = this.#environment;
    const [least, most] = this.quality.delayMs;
    await this.pass(least + random.next() * (most - least));
    if (this.quality.cut || random.next() < this.quality.loss) await new Promise(() => undefined);
  }

  pass(ms: number): Promise<void> {
    return new Promise((resolve) => this.#environment.world.setTimer(resolve, ms));
  }

  async #again(primary: Primary, command: string, args: readonly string[]): Promise<void> {
    if (command === 'xread') return;
    await this.cross();
    await primary.execute(command, args, this.#environment.heard).catch(() => undefined);
  }
}

/** One connection, with as much of ioredis as the store relies on. */
class LinkClient implements OwnClient {
  status = 'connecting';
  readonly #link: Link;
  readonly #options: ClientOptions;
  readonly #environment: LinkEnvironment;
  readonly #listeners = new Map<string, (() => void)[]>();
  readonly #underWay = new Set<(error: Error) => void>();
  #attempts = 0;
  #ended = false;

  constructor(link: Link, options: ClientOptions, environment: LinkEnvironment) {
    this.#link = link;
    this.#options = options;
    this.#environment = environment;
    void this.#connect();
  }

  call(command: string, ...args: string[]): Promise<unknown> {
    if (this.status !== 'ready') return Promise.reject(new Error('the connection is not ready'));
    return new Promise((resolve, reject) => {
      this.#underWay.add(reject);
      const done = () => this.#underWay.delete(reject);
      this.#link.carry(command, args).then(
        (reply) => done() && resolve(reply),
        (error) => done() && reject(error),
      );
    });
  }

  on(event: string, listener: () => void): void {
    const listeners = this.#listeners.get(event) ?? [];
    this.#listeners.set(event, [...listeners, listener]);
  }

  disconnect(reconnect = false): void {
    this.#ended = !reconnect;
    this.lose();
  }

  /** The connection ends; what was under way has no answer. */
  lose(): void {
    if (this.status !== 'ready') return;
    this.status = 'connecting';
    void this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    await this.#environment.replica.awake();
    for (const reject of [...this.#underWay]) reject(new Error('Connection is closed.'));
    this.#underWay.clear();
    this.#emit('close');
    if (this.#ended) return;
    this.#attempts++;
    const delayMs = this.#options.retryStrategy(this.#attempts);
    this.#environment.replica.setTimer(() => void this.#connect(), delayMs);
  }

  async #connect(): Promise<void> {
    const { cut } = this.#link.quality;
    await this.#link.pass(cut ? this.#options.connectTimeout : 1 + this.#environment.random.next() * 2);
    await this.#environment.replica.awake();
    if (cut || this.#link.primary.down) return this.#reconnect();
    this.status = 'ready';
    this.#attempts = 0;
    this.#emit('ready');
  }

  #emit(event: string): void {
    for (const listener of this.#listeners.get(event) ?? []) listener();
  }
}
