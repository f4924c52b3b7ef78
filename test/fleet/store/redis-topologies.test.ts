import { Cluster, Redis } from 'ioredis';
import { Cluster as ValkeyCluster } from 'iovalkey';
import { afterEach, describe, expect, it } from 'vitest';
import { type RedisClient, redisStore } from '../../../packages/core/src/index.ts';
import { report } from '../../../packages/core/src/store/conformance/inputs.ts';
import type { Store } from '../../../packages/core/src/store/store.ts';
import { pause } from '../../conformance/harness/wait.ts';
import { RedisCluster } from '../harness/redis-cluster.ts';
import { RedisSentinel, SENTINEL_NAME } from '../harness/redis-sentinel.ts';
import { freePort, RedisServer } from '../harness/redis-server.ts';

const STREAM = '{healix:v1:topologies}:s';
/** Sentinel's own: `down-after`, up to a second of its chance, and a second until it asks the replica again. */
const SENTINEL_MS = 3_200;
/** What is left of the six seconds in which a frozen primary is left. */
const FOLLOWED_MS = 6_000 - SENTINEL_MS;

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function until(patienceMs: number, is: () => unknown, betweenMs = 100): Promise<number> {
  const began = performance.now();
  for (;;) {
    const yes = await Promise.resolve()
      .then(is)
      .catch(() => false);
    const tookMs = performance.now() - began;
    if (yes) return tookMs;
    if (tookMs > patienceMs) throw new Error(`not within ${patienceMs} ms: ${is}`);
    await pause(betweenMs);
  }
}

function use(
  client: RedisClient & { disconnect(): void; on(event: 'error', listener: () => void): unknown },
): Store {
  client.on('error', () => undefined);
  const store = redisStore(client);
  store.open('topologies');
  closing.push(
    () => client.disconnect(),
    () => store.close(),
  );
  return store;
}

async function serve(...options: string[]): Promise<RedisServer> {
  const server = await RedisServer.start(...options);
  closing.push(() => server.stop());
  return server;
}

async function watch(primary: RedisServer, at?: number): Promise<RedisSentinel> {
  const sentinel = await RedisSentinel.watch(primary, at);
  closing.push(() => sentinel.stop());
  return sentinel;
}

it('leaves a frozen primary for the one that Sentinel has made, within six seconds', async () => {
  const primary = await serve();
  const replica = await serve(
    '--replicaof',
    '127.0.0.1',
    `${primary.port}`,
    '--repl-diskless-sync-delay',
    '0',
  );
  const sentinel = await watch(primary);
  await until(20_000, () => sentinel.knows(replica));
  await until(20_000, async () => (await replica.client().info('replication')).includes('link_status:up'));
  const store = use(
    new Redis({ sentinels: [{ host: '127.0.0.1', port: sentinel.port }], name: SENTINEL_NAME }),
  );
  await until(5_000, () => store.heartbeat('a'));
  primary.pause();
  closing.push(() => primary.resume());
  // As the fleet does while its store is away.
  const beats = until(20_000, () => store.heartbeat('a'), 500);
  const promoted = until(20_000, () => sentinel.hasPromoted(replica));
  const [beatMs, promotedMs] = await Promise.all([beats, promoted]);
  console.log(`promoted after ${promotedMs.toFixed()} ms, followed after ${beatMs.toFixed()} ms`);
  expect(beatMs - promotedMs).toBeLessThan(FOLLOWED_MS);
});

it('waits for Sentinels that come later, though the user would give up', async () => {
  const port = await freePort();
  const sentinels = [{ host: '127.0.0.1', port }];
  const store = use(
    new Redis({ sentinels, name: SENTINEL_NAME, lazyConnect: true, sentinelRetryStrategy: () => null }),
  );
  await expect(store.heartbeat('a')).rejects.toMatchObject({ reason: 'unreachable' });
  await watch(await serve(), port);
  await until(20_000, () => store.heartbeat('a'));
  await until(20_000, () => store.read('0-0', 1, new AbortController().signal));
});

describe('a Cluster', () => {
  const start = async () => {
    const cluster = await RedisCluster.start();
    closing.push(() => cluster.stop());
    const nodes = [{ host: '127.0.0.1', port: cluster.port }];
    const options = { scaleReads: 'slave', redisOptions: { keyPrefix: 'app:' } } as const;
    const store = use(new Cluster(nodes, options));
    const valkey = use(new ValkeyCluster(nodes, options));
    await until(20_000, () => store.heartbeat('a'));
    await until(20_000, () => valkey.heartbeat('b'));
    return { cluster, store, valkey };
  };

  it('opens two targets at once, in one entry, and is followed to another primary', async () => {
    const { cluster, store, valkey } = await start();
    const { cursor } = await store.snapshot([]);
    const news = (from: string) => valkey.read(from, 5_000, new AbortController().signal);
    const read = news(cursor);
    await store.report('a', [report('t'), report('u')]);
    const asked = await read;
    expect(asked.entries).toEqual([{ kind: 'ask', targets: ['t', 'u'] }]);
    await pause(210);
    const second = (name: string) => report(name, { epochId: `${name}-1`, nextId: `${name}-2` });
    const views = await valkey.report('b', [second('t'), second('u')]);
    const opened = [
      { target: 't', epoch: 2, epochId: 't-2', state: 'open' },
      { target: 'u', epoch: 2, epochId: 'u-2', state: 'open' },
    ];
    expect(views).toMatchObject(opened);
    const { entries } = await news(asked.cursor);
    expect(entries).toMatchObject(opened.map((view) => ({ kind: 'view', view })));
    const stream = await (await cluster.ownerOf(STREAM)).client().xlen(STREAM);
    expect(stream).toBe(2);

    await (await cluster.ownerOf(STREAM)).kill();
    await until(20_000, () => store.heartbeat('a'));
    await until(20_000, () => valkey.heartbeat('b'));
    const snapshot = await store.snapshot(['t', 'u']);
    expect(snapshot.views).toMatchObject(opened.map(({ epochId: _, epoch: __, ...view }) => view));
  });

  it('is of no use while the slot is half moved, and again once it has moved', async () => {
    const { cluster, store, valkey } = await start();
    await store.report('a', [report('t')]);
    const from = await cluster.ownerOf(STREAM);
    const to = await cluster.otherPrimary(from);
    await cluster.halfMove(STREAM, from, to);
    const giveUp = performance.now() + 5_000;
    const badger = async (work: () => Promise<unknown>) => {
      while (performance.now() < giveUp) {
        await work().catch(() => undefined);
        await pause(20);
      }
    };
    await Promise.all(
      [store, valkey].flatMap((each) => [
        badger(() => each.heartbeat('a')),
        badger(() => each.report('a', [report('t'), report('u')])),
        badger(() => each.snapshot(['t', 'u'])),
        badger(() => each.read('0-0', 5_000, AbortSignal.timeout(5_000))),
      ]),
    );
    await cluster.endMove(STREAM, from, to);
    await until(20_000, () => store.heartbeat('a'));
    await until(20_000, () => valkey.heartbeat('b'));
  });
});
