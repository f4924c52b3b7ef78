import type { Redis } from 'ioredis';
import { RedisStore } from '../../../packages/core/src/store/redis/redis-store.ts';
import { type Clock, systemClock } from '../../../packages/core/src/time/clock.ts';
import { systemRandom } from '../../../packages/core/src/time/random.ts';
import { RedisServer } from './redis-server.ts';

const START_MS = 1_750_000_000_000;
const TIME_KEY = 'test:now';
const RUN_KEY = 'test:run';

/** Scripts are told the time that the test has set, and the server's name. */
const prelude = () => `
  local server = redis
  local redis = {
    acl_check_cmd = server.acl_check_cmd,
    pcall = function(name, ...)
      if name == 'INFO' then return 'run_id:' .. server.call('GET', '${RUN_KEY}') end
      return server.pcall(name, ...)
    end,
    call = function(name, ...)
      if name ~= 'TIME' then return server.call(name, ...) end
      local now = tonumber(server.call('GET', '${TIME_KEY}'))
      return { string.format('%d', now / 1000), string.format('%d', now % 1000 * 1000) }
    end,
  }
`;

/** Real time with patience: on a busy machine a reply may take longer than a user would wait for it. */
const patientClock: Clock = {
  ...systemClock,
  setTimer: (callback, delayMs) => systemClock.setTimer(callback, delayMs * 100),
};

/** A real Redis whose scripts live in the test's own time. */
export class VirtualRedis {
  now = START_MS;
  readonly #server: RedisServer;
  readonly #client: Redis;
  #run = 1;

  private constructor(server: RedisServer) {
    this.#server = server;
    this.#client = server.client();
  }

  static async start(): Promise<VirtualRedis> {
    const redis = new VirtualRedis(await RedisServer.start());
    await redis.setTime(START_MS);
    await redis.failOver();
    return redis;
  }

  /** A client of the test's own. */
  get client(): Redis {
    return this.#client;
  }

  makeStore(): RedisStore {
    return new RedisStore(this.#client, {}, { prelude, clock: patientClock, random: systemRandom });
  }

  /** Sets the time of the scripts, in ms since 1970. */
  async setTime(now: number): Promise<void> {
    this.now = now;
    await this.#client.set(TIME_KEY, `${now}`);
  }

  async advance(ms: number): Promise<void> {
    await this.setTime(this.now + ms);
  }

  async turnBack(ms: number): Promise<void> {
    await this.setTime(this.now - ms);
  }

  /** Stores that are made from now on find another server in charge. */
  async failOver(): Promise<void> {
    await this.#client.set(RUN_KEY, `primary${this.#run++}`);
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }
}
