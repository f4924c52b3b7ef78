import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { claim, report, seed, verdict } from '../../../packages/core/src/store/conformance/inputs.ts';
import type { RedisStore } from '../../../packages/core/src/store/redis/redis-store.ts';
import type { FleetView } from '../../../packages/core/src/store/store.ts';
import { VirtualRedis } from '../harness/virtual-redis.ts';

let redis: VirtualRedis;
let service: string;
let store: RedisStore;

beforeAll(async () => {
  redis = await VirtualRedis.start();
});

beforeEach(() => {
  service = `records-${randomUUID()}`;
  store = redis.makeStore();
  store.open(service);
  return () => store.close();
});

afterAll(() => redis.stop());

const fleetKey = (name: string) => `{healix:v1:${service}}:${name}`;
const key = (kind: string) => `${fleetKey(kind)}:t`;

async function trip(): Promise<FleetView> {
  const [created] = await store.report('a', [report('t')]);
  const { epoch, epochId } = created!;
  await redis.advance(200);
  const [view] = await store.report('b', [report('t', { epoch, epochId, nextId: 't-2' })]);
  return view!;
}

it('reads nonsense in a record as zero, and drops it among reports', async () => {
  await store.report('a', [report('t', { failures: 1 })]);
  await redis.client.hset(key('t'), {
    until: 'nan',
    n: '1e999',
    ask1: '-5',
    st: '?',
    f: 'x',
    grants: 'inf',
    evil: 'x',
  });
  await redis.client.hset(key('w'), { evil: 'h1 9 9 0 1', worse: '\u0000', 'w\n': 'h1 1e5 9 9 9 9' });
  const [view] = await store.report('b', [report('t', { epochId: 't-1', failures: 1 })]);
  expect(view).toMatchObject({ state: 'closed', forced: null, openings: 0, reporters: 2 });
});

it('takes a lease that cannot be read for a used one', async () => {
  const view = await trip();
  await redis.advance(1_300);
  await store.claim('a', claim(view, 'p', { probes: 2 }));
  await redis.client.hset(key('l'), { p: 'a held', q: '', r: '1e5 x held' });
  expect((await store.settle('a', verdict(view, 'p', 'ok'))).counted).toBe(false);
  expect((await store.claim('a', claim(view, 's'))).leaseMs).toBe(250);
});

it.each([
  ['eid', 'e'.repeat(65)],
  ['eid', ''],
  ['ep', `${2 ** 40}`],
  ['fv', `${2 ** 40}`],
  ['dur', '86400001'],
  ['ftok', 't'.repeat(65)],
])('takes a record whose %s is %s for none, and makes another', async (field, value) => {
  await store.report('a', [report('t')]);
  await redis.client.hset(key('t'), field, value);
  const [none] = (await store.snapshot(['t'])).views;
  expect(none).toMatchObject({ epoch: 0, epochId: '' });
  const [view] = await store.seed('a', [seed({ target: 't' }, 'anew')]);
  const decision = { forcedVersion: 0, forcedToken: '' };
  expect(view).toMatchObject({ epoch: 5, epochId: 'anew', state: 'open', ...decision });
});

it('tells nothing of a target whose record is gone, and forgets its name', async () => {
  await trip();
  await store.force('a', { target: 'held', state: 'open', token: 'f', baseVersion: 0, nextId: 'forced' });
  expect((await store.heartbeat('a')).unsettled).toHaveLength(2);
  await redis.client.del(key('t'), `${fleetKey('t')}:held`);
  expect((await store.heartbeat('a')).unsettled).toEqual([]);
  expect((await store.snapshot([])).views).toEqual([]);
});

it('leaves out what is no view, and rejects where it was asked for it', async () => {
  const long = 'x'.repeat(3_000);
  await redis.client.zadd(fleetKey('o'), 1, long, 'Infinity', 'upstream:endless');
  const { unsettled } = await store.heartbeat('a');
  expect(unsettled.map(({ target }) => target)).not.toContain(long);
  expect((await store.snapshot([])).views.map(({ target }) => target)).not.toContain(long);
  await expect(store.report('a', [report(long)])).rejects.toMatchObject({
    code: 'HEALIX_STORE',
    reason: 'malformed',
  });
});

it('throws away keys of another type, and a stream whose ids are used up', async () => {
  const { client } = redis;
  for (const name of ['s', 'm', 'i', 'o', 'f']) await client.set(fleetKey(name), 'garbage');
  for (const kind of ['t', 'w', 'l']) await client.set(key(kind), 'garbage');
  const view = await trip();
  expect(view).toMatchObject({ state: 'open', epoch: 2 });
  await redis.advance(view.remainingMs + 300);
  for (const spoilt of [fleetKey('o'), key('l')]) await client.set(spoilt, '');
  expect((await store.claim('a', claim(view, 'p1'))).leaseMs).toBe(250);
  await client.xadd(fleetKey('s'), `${2n ** 64n - 1n}-${2n ** 64n - 1n}`, 'e', '{}');
  expect((await store.heartbeat('a')).live).toBe(1);
  expect(await store.settle('a', verdict(view, 'p1', 'unused'))).toMatchObject({ counted: true });
});
