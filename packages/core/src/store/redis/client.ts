import { createRequire } from 'node:module';
import { isRedisUrl, REDIS_URL } from '../../config/redis-url.ts';
import { ConfigError } from '../../errors.ts';

/** An instance of ioredis or iovalkey, of any kind: a single server, Sentinel or a Cluster. */
export interface RedisClient {
  readonly isCluster?: boolean;
  duplicate(...args: never[]): unknown;
}

/** What is used of a connection of our own. */
export interface OwnClient {
  readonly status: string;
  call(command: string, ...args: string[]): Promise<unknown>;
  disconnect(reconnect?: boolean): void;
  on(event: string, listener: () => void): unknown;
}

interface Options {
  readonly redisOptions?: object;
}

/** Longer than any handshake or first run of a script should take, in ms. */
export const HANDSHAKE_MS = 2_000;

// Of whatever the user has set, nothing may delay a command, send one twice, or send it to a replica.
const EITHER = {
  enableAutoPipelining: false,
  enableReadyCheck: false,
  keyPrefix: '',
  lazyConnect: false,
  monitor: false,
};

const ONE_SERVER = {
  ...EITHER,
  autoResendUnfulfilledCommands: false,
  blockingTimeout: undefined,
  connectTimeout: HANDSHAKE_MS,
  disableClientInfo: true,
  // Between the end that we say and the one that a frozen server never says.
  disconnectTimeout: 100,
  himportFieldsets: undefined,
  maxRetriesPerRequest: 0,
  protocol: 2,
  readOnly: false,
  reconnectOnError: null,
  replyMapping: 'legacy',
  // Of the servers that a Sentinel knows: the one that takes writes, whatever the user's own instance is for.
  role: 'master',
  socketTimeout: undefined,
  stringNumbers: false,
};

const CLUSTER = {
  ...EITHER,
  clusterNodeRetryStrategy: null,
  enableOfflineQueue: false,
  himportFieldsets: undefined,
  // To the one in charge of the slot, and to the one that it is moving to; no more, while keys are at both.
  maxRedirections: 3,
  // A connection that was lost, or a cluster that is down, would have the command sent again.
  retryDelayOnClusterDown: 0,
  retryDelayOnFailover: 0,
  scaleReads: 'master',
  shardedSubscribers: false,
  // Without it, iovalkey asks a primary that is gone for ever.
  slotsRefreshInterval: 5_000,
};

/**
 * Opens a connection to where `redis` leads. `commandMs` bounds every command of the client's own, the handshake's
 * among them; undefined for none. `retryMs` says how long to wait before the nth attempt to connect again.
 */
export function openClient(
  redis: RedisClient,
  commandMs: number | undefined,
  retryMs: (attempt: number) => number,
): OwnClient {
  const one = { ...ONE_SERVER, commandTimeout: commandMs };
  const client = redis.isCluster
    ? duplicate(redis, [], {
        ...CLUSTER,
        clusterRetryStrategy: retryMs,
        redisOptions: { ...redisOptions(redis), ...one },
      })
    : duplicate(redis, {
        ...one,
        enableOfflineQueue: false,
        retryStrategy: retryMs,
        sentinelRetryStrategy: retryMs,
      });
  // Without a listener, the client writes to the console, or the process ends. Failed commands tell enough.
  client.on('error', () => {});
  return client;
}

export function checkClient(redis: RedisClient): RedisClient {
  if (typeof redis?.duplicate === 'function') return redis;
  throw new ConfigError('redisStore.redis', redis, 'an instance of ioredis or iovalkey');
}

function duplicate(redis: RedisClient, ...args: unknown[]): OwnClient {
  return (redis.duplicate as (...args: unknown[]) => OwnClient).apply(redis, args);
}

function redisOptions(cluster: RedisClient): object | undefined {
  return (cluster as { options?: Options }).options?.redisOptions;
}

type Constructor = new (
  url: string,
  options: object,
) => RedisClient & { on(event: 'error', listener: () => void): void };

/** Makes a client for a URL such as `redis://localhost:6379`; it does not connect. @throws ConfigError for another */
export function clientOf(url: string): RedisClient {
  if (!isRedisUrl(url)) throw new ConfigError('redis', url, REDIS_URL);
  const Client = load('ioredis') ?? load('iovalkey');
  if (Client === undefined) {
    throw new ConfigError(
      'redis',
      url,
      'a URL, where ioredis or iovalkey is installed',
      'Run "npm install ioredis"',
    );
  }
  const client = new Client(url, { lazyConnect: true });
  client.on('error', () => {});
  return client;
}

// Not imported: most users have neither, and what is wrong with a setting is told before anything starts.
function load(name: string): Constructor | undefined {
  try {
    return (createRequire(import.meta.url)(name) as { Redis: Constructor }).Redis;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}
