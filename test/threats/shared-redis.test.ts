import { createServer } from 'node:net';
import { createHealing, type Healing, type RedisStoreOptions, redisStore } from '@healix/core';
import { SteadyClock } from '@healix/core/testing';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { FleetKeys } from '../../packages/core/src/store/redis/keys.ts';
import { until } from '../conformance/harness/wait.ts';
import { RedisServer } from '../fleet/harness/redis-server.ts';

const TARGET = 'upstream:payments';
/** A healthy replica writes every five seconds. */
const PATIENCE = { timeout: 30_000, interval: 50 };
/** As docs/fleet.md has it. */
const COMMANDS =
  '+evalsha +eval +time +hmget +hset +hdel +hgetall +del +pexpire +xadd +xread +xrevrange +zadd +zrem +zcard +zrange +zremrangebyscore';

let server: RedisServer;
let anybody: Redis;
const runtimes: Healing[] = [];

beforeAll(async () => {
  server = await RedisServer.start();
  anybody = server.client();
});
beforeEach(() => anybody.flushall());
afterEach(async () => {
  for (const runtime of runtimes.splice(0)) await runtime.close();
});
afterAll(() => server.stop());

async function userOf(service: string): Promise<Redis> {
  const rules = ['reset', 'on', '>secret', `~{healix:v1:${service}}:*`, ...COMMANDS.split(' ')];
  await anybody.acl('SETUSER', service, ...rules);
  return server.client({ username: service, password: 'secret' });
}

async function replica(client: Redis, service: string, options?: RedisStoreOptions): Promise<Healing> {
  const store = redisStore(client, options);
  const runtime = createHealing({ shared: false, clock: new SteadyClock(), store, service });
  runtimes.push(runtime);
  await runtime.target(TARGET).run(() => 1);
  await until('an answer', () => runtime.status().fleet?.store.state !== 'starting');
  return runtime;
}

const forcedIn = (runtime: Healing) => runtime.target(TARGET).status().forced;

it('a user for each service keeps services apart', async () => {
  const orders = await replica(await userOf('orders'), 'orders');
  const billing = await userOf('billing');
  await orders.target(TARGET).force('open');
  for (const key of await anybody.keys('*')) {
    await expect(billing.del(key)).rejects.toThrow('NOPERM');
    const script = 'return redis.call("DEL", KEYS[1])';
    await expect(billing.eval(script, 1, key)).rejects.toThrow(/NOPERM|No permissions/);
    const hidden = `return redis.call("DEL", "${key}")`;
    await expect(billing.eval(hidden, 0)).rejects.toThrow(/can't access|No permissions|NOPERM/);
  }
  const intruder = await replica(billing, 'orders');
  expect(await intruder.target(TARGET).force('closed')).toEqual({ scope: 'process' });
  expect(forcedIn(orders)).toBe('open');
});

it('a script without end has everybody heal alone, until it is over', async () => {
  const orders = await replica(await userOf('orders'), 'orders');
  const billing = await userOf('billing');
  const endless = billing.eval('while true do end', 0).catch(() => 'killed');
  const is = (state: string) => () => expect(orders.status().fleet?.store.state).toBe(state);
  try {
    await vi.waitFor(is('away'), PATIENCE);
    expect(await orders.target(TARGET).run(() => 'paid')).toBe('paid');
  } finally {
    await vi.waitFor(() => anybody.script('KILL'), PATIENCE);
  }
  expect(await endless).toBe('killed');
  await vi.waitFor(is('connected'), PATIENCE);
});

it('a colon in a prefix may be one in a service', () => {
  const keys = (prefix: string, service: string) => new FleetKeys(service, { prefix }).stream;
  expect(keys('a:v1', 'b')).toBe(keys('a', 'v1:b'));
});

it('a prefix for each tenant keeps services of the same name apart, in each database too', async () => {
  const one = await replica(server.client(), 'orders', { prefix: 'tenant-1' });
  const two = await replica(server.client(), 'orders', { prefix: 'tenant-2' });
  const elsewhere = await replica(server.client({ db: 1 }), 'orders', { prefix: 'tenant-1' });
  await one.target(TARGET).force('open');
  await two.target('upstream:last').force('open');
  await elsewhere.target('upstream:last').force('open');
  expect([forcedIn(one), forcedIn(two), forcedIn(elsewhere)]).toEqual(['open', null, null]);
  const tags = new Set((await anybody.keys('*')).map((key) => key.slice(0, key.indexOf('}') + 1)));
  expect([...tags].sort()).toEqual(['{tenant-1:v1:orders}', '{tenant-2:v1:orders}']);
});

it('whoever lists keys reads the names of services and targets, and no more of a request', async () => {
  const runtime = await replica(server.client(), 'orders');
  const failure = new Error('the card of J. Doe was refused');
  const fail = () => runtime.target(TARGET).run(() => Promise.reject(failure));
  for (let i = 0; i < 20; i++) await fail().catch(() => undefined);
  await until('a report', () => anybody.exists(`{healix:v1:orders}:w:${TARGET}`));
  const keys = await anybody.keys('*');
  expect(keys).toContain(`{healix:v1:orders}:t:${TARGET}`);
  const held = await Promise.all(keys.map((key) => anybody.dump(key)));
  expect(held.join('')).not.toContain('Doe');
});

it('what Redis evicts is put back by replicas that live', async () => {
  const [a, b] = [await replica(server.client(), 'orders'), await replica(server.client(), 'orders')];
  await a.target(TARGET).force('open');
  await until('of one mind', () => forcedIn(b) === 'open');
  const key = `{healix:v1:orders}:t:${TARGET}`;
  for (let times = 0; times < 3; times++) {
    for (const each of await anybody.keys('*')) await anybody.del(each);
    await until('put back', async () => (await anybody.hget(key, 'f')) === 'open');
  }
  expect([forcedIn(a), forcedIn(b)]).toEqual(['open', 'open']);
});

it('nothing stays for ever', async () => {
  const runtime = await replica(server.client(), 'orders');
  await runtime.target(TARGET).force('open');
  for (const key of await anybody.keys('*')) {
    expect(await anybody.pttl(key), key).toBeGreaterThan(0);
  }
});

it('a rediss: URL is spoken to in TLS', async () => {
  let told: (byte: number | undefined) => void = () => undefined;
  const firstByte = new Promise<number | undefined>((resolve) => {
    told = resolve;
  });
  const listener = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (data) => {
      told(data[0]);
      socket.destroy();
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as { port: number };
  const redis = `rediss://127.0.0.1:${port}`;
  runtimes.push(createHealing({ shared: false, clock: new SteadyClock(), redis, service: 'orders' }));
  const HANDSHAKE = 0x16;
  expect(await firstByte).toBe(HANDSHAKE);
  listener.close();
});
