import { Redis } from 'ioredis';
import { Redis as Valkey } from 'iovalkey';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { report } from '../../../packages/core/src/store/conformance/inputs.ts';
import { redisStore, redisStoreAt } from '../../../packages/core/src/store/redis/redis-store.ts';
import type { Store } from '../../../packages/core/src/store/store.ts';
import { pause } from '../../conformance/harness/wait.ts';
import { RedisServer } from '../harness/redis-server.ts';
import { TcpProxy } from '../harness/tcp-proxy.ts';

let server: RedisServer;
const stores: Store[] = [];
const never = new AbortController().signal;

beforeEach(async () => {
  server = await RedisServer.start();
});

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  await server.stop();
});

function opened(store: Store): Store {
  stores.push(store);
  store.open('connections');
  return store;
}

const onServer = () => opened(redisStore(server.client()));

async function rejection(
  work: Promise<unknown>,
): Promise<{ reason: string; message: string; tookMs: number }> {
  const began = performance.now();
  const error = await work.then(
    () => ({ reason: 'none', message: 'it did not reject' }),
    (error: { reason: string; message: string }) => error,
  );
  return { reason: error.reason, message: error.message, tookMs: performance.now() - began };
}

async function succeeds(work: () => Promise<unknown>, patienceMs = 5_000): Promise<void> {
  const giveUp = performance.now() + patienceMs;
  for (;;) {
    const { reason, message } = await rejection(work());
    if (reason === 'none') return;
    if (performance.now() > giveUp) throw new Error(message);
    await pause(20);
  }
}

describe('a client of the user', () => {
  it('is used for its options alone, whatever they are', async () => {
    const lazy = server.client({ lazyConnect: true, keyPrefix: 'app:', enableAutoPipelining: true, db: 0 });
    const store = opened(redisStore(lazy));
    expect((await store.heartbeat('a')).live).toBe(1);
    expect(lazy.status).toBe('wait');
    expect(await server.client().keys('*')).toContain('{healix:v1:connections}:m');
  });

  it('may be of iovalkey', async () => {
    const valkey = new Valkey(server.port, '127.0.0.1', { lazyConnect: true });
    expect((await opened(redisStore(valkey)).heartbeat('a')).live).toBe(1);
  });

  it('may be a URL', async () => {
    expect((await opened(redisStoreAt(server.url)).heartbeat('a')).live).toBe(1);
  });

  it('is refused where it is none', () => {
    expect(() => redisStore({} as Redis)).toThrow(/redisStore.redis: .* ioredis or iovalkey/);
    expect(() => redisStore(server.client(), { prefix: 'a{b}' }).open('x')).toThrow(/redisStore.prefix/);
  });
});

describe('a command', () => {
  it('rejects after 50 ms when the server is frozen, while a read waits on', async () => {
    const store = onServer();
    const { cursor } = await store.heartbeat('a');
    const read = store.read(cursor, 5_000, never);
    await pause(50);
    server.pause();
    const { reason, tookMs } = await rejection(store.heartbeat('a'));
    expect(reason).toBe('timeout');
    expect(tookMs).toBeGreaterThan(45);
    expect(tookMs).toBeLessThan(500);
    await pause(200);
    server.resume();
    await succeeds(() => opened(redisStore(server.client())).report('b', [report('t')]));
    await succeeds(() => store.report('a', [report('t', { epochId: 't-1' })]));
    expect((await read).entries).toContainEqual({ kind: 'ask', targets: ['t'] });
  });

  it('gives the connection up after three that were not answered', async () => {
    const store = onServer();
    for (let i = 0; i < 2; i++) await store.heartbeat('a');
    const clients = async () => (await server.client().client('LIST')) as string;
    const before = /id=(\d+) .*cmd=evalsha/.exec(await clients())?.[1];
    expect(before).toBeDefined();
    server.pause();
    for (let i = 0; i < 3; i++) expect((await rejection(store.heartbeat('a'))).reason).toBe('timeout');
    expect((await rejection(store.heartbeat('a'))).reason).toBe('unreachable');
    server.resume();
    await succeeds(() => store.heartbeat('a'));
    await pause(100);
    expect(await clients()).not.toContain(`id=${before} `);
  });

  it('keeps the connection when several that were under way together were not answered', async () => {
    const store = onServer();
    for (let i = 0; i < 2; i++) await store.heartbeat('a');
    server.pause();
    const lost = await Promise.all(Array.from({ length: 10 }, () => rejection(store.heartbeat('a'))));
    expect(new Set(lost.map(({ reason }) => reason))).toEqual(new Set(['timeout']));
    expect((await rejection(store.heartbeat('a'))).reason).toBe('timeout');
    server.resume();
    await succeeds(() => store.heartbeat('a'));
  });

  it('finds its scripts gone, and brings them', async () => {
    const store = onServer();
    await store.heartbeat('a');
    await server.client().script('FLUSH');
    expect((await store.heartbeat('a')).live).toBe(1);
  });

  it('whose connection is cut before the reply is carried out once', async () => {
    const proxy = await TcpProxy.start(server.port);
    const client = new Redis(proxy.port, '127.0.0.1', { lazyConnect: true });
    const store = opened(redisStore(client));
    await store.heartbeat('a');
    const counted = async () =>
      /cmdstat_xadd:calls=(\d+)/.exec(await server.client().info('commandstats'))?.[1];
    await store.report('a', [report('t', { failures: 0 })]);
    proxy.replies = false;
    const work = rejection(store.report('a', [report('t', { epochId: 't-1' })]));
    await pause(20);
    proxy.cut();
    expect((await work).reason).toBe('unreachable');
    proxy.replies = true;
    await succeeds(() => store.heartbeat('a'));
    expect(await counted()).toBe('1');
    proxy.close();
  });

  it('rejects at once where there is no server, and works when there is one again', async () => {
    const store = onServer();
    await store.heartbeat('a');
    await server.kill();
    await pause(50);
    const { reason, tookMs } = await rejection(store.heartbeat('a'));
    expect(reason).toBe('unreachable');
    expect(tookMs).toBeLessThan(40);
    await server.restart();
    await succeeds(() => store.heartbeat('a'), 10_000);
  });

  it('is refused by a server that takes no writes, whatever it reads', async () => {
    const store = onServer();
    await store.heartbeat('a');
    await server.readOnly(true);
    expect(await rejection(store.heartbeat('a'))).toMatchObject({ reason: 'refused', message: /READONLY/ });
    await server.readOnly(false);
    await succeeds(() => store.heartbeat('a'));
    await server.full(true);
    expect(await rejection(store.heartbeat('a'))).toMatchObject({ reason: 'refused' });
    await server.full(false);
    await succeeds(() => store.heartbeat('a'));
  });
});

describe('a read', () => {
  it('comes back at once with news, or without when its time is over', async () => {
    const store = onServer();
    const { cursor } = await store.snapshot([]);
    expect(await store.read(cursor, 100, never)).toEqual({ cursor, entries: [] });
    const read = store.read(cursor, 5_000, never);
    await pause(50);
    await store.report('a', [report('t')]);
    expect((await read).entries).toEqual([{ kind: 'ask', targets: ['t'] }]);
  });

  it('ends when it is aborted, and another one begins', async () => {
    const store = onServer();
    const { cursor } = await store.snapshot([]);
    const controller = new AbortController();
    const read = rejection(store.read(cursor, 5_000, controller.signal));
    await pause(50);
    controller.abort();
    expect((await read).tookMs).toBeLessThan(500);
    expect(await store.read(cursor, 50, never)).toEqual({ cursor, entries: [] });
  });
});

describe('another primary', () => {
  it('begins a new epoch of what is open, due when it was', async () => {
    const store = onServer();
    await store.report('a', [report('t')]);
    await pause(210);
    const [open] = await store.report('b', [report('t', { epochId: 't-1', nextId: 't-2' })]);
    expect(open).toMatchObject({ state: 'open', epoch: 2 });
    await server.client().hset('{healix:v1:connections}:t:t', 'run', 'another');
    const [moved] = await store.report('b', [report('t', { epochId: 't-2', nextId: 't-3' })]);
    expect(moved).toMatchObject({ state: 'open', epoch: 3, epochId: 't-3' });
    expect(moved!.remainingMs).toBeGreaterThan(0);
  });
});
