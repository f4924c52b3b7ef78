import { createRequire } from 'node:module';
import { ConfigError } from '../../errors.ts';

/** An instance of ioredis or iovalkey, of any kind: a single server, Sentinel or a Cluster. */
export interface RedisClient {
  readonly isCluster?: boolean;
  duplicate(...args: never[]): unknown;
}

/** @throws ConfigError for something that is no client */
export function checkClient(redis: RedisClient): void {
  if (typeof redis?.duplicate !== 'function') {
    throw new ConfigError('redisStore', redis, 'an instance of ioredis or iovalkey');
  }
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
  socketTimeout: undefined,
  stringNumbers: false,
};

const CLUSTER = {
  ...EITHER,
  clusterNodeRetryStrategy: null,
  enableOfflineQueue: false,
  himportFieldsets: undefined,
  // A connection that was lost, or a cluster that is down, would have the command sent again.
  retryDelayOnClusterDown: 0,
  retryDelayOnFailover: 0,
  scaleReads: 'master',
  shardedSubscribers: false,
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
    : duplicate(redis, { ...one, enableOfflineQueue: false, retryStrategy: retryMs });
  // Without a listener, the client writes to the console, or the process ends. Failed commands tell enough.
  client.on('error', () => {});
  return client;
}

function duplicate(redis: RedisClient, ...args: unknown[]): OwnClient {
  return (redis.duplicate as (...args: unknown[]) => OwnClient).apply(redis, args);
}

function redisOptions(cluster: RedisClient): object | undefined {
  return (cluster as { options?: Options }).options?.redisOptions;
}

type Library = { readonly default?: Constructor; readonly Redis?: Constructor };
type Constructor = new (
  url: string,
  options: object,
) => RedisClient & { on(event: 'error', listener: () => void): void };

/** Makes a client for a URL such as `redis://localhost:6379` with ioredis, else iovalkey; it does not connect. */
export function clientOf(url: string): RedisClient {
  const library = load('ioredis') ?? load('iovalkey');
  const Client = library?.Redis ?? library?.default;
  if (Client === undefined) {
    throw new ConfigError(
      'redis',
      url,
      'a URL, where ioredis or iovalkey is installed',
      'npm install ioredis',
    );
  }
  const client = new Client(url, { lazyConnect: true });
  client.on('error', () => {});
  return client;
}

/** Both are CommonJS, so that a runtime may be made without waiting for them. */
function load(name: string): Library | undefined {
  try {
    return createRequire(import.meta.url)(name) as Library;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}
