import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { RedisStore } from '../../../packages/core/src/store/redis/redis-store.ts';
import { VirtualRedis } from '../harness/virtual-redis.ts';
import { claim, report, verdict } from './fixtures.ts';

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

const key = (kind: string) => `{healix:v1:${service}}:${kind}:t`;

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
  const [created] = await store.report('a', [report('t')]);
  const { epoch, epochId } = created!;
  await redis.advance(200);
  await store.report('b', [report('t', { epoch, epochId, nextId: 't-2' })]);
  await redis.advance(1_300);
  const [view] = (await store.snapshot(['t'])).views;
  await store.claim('a', claim(view!, 'p', { probes: 2 }));
  await redis.client.hset(key('l'), { p: 'a held', q: '', r: '1e5 x held' });
  expect((await store.settle('a', verdict(view!, 'p', 'ok'))).counted).toBe(false);
  expect((await store.claim('a', claim(view!, 's'))).leaseMs).toBe(250);
});

it('rejects a reply that is none', async () => {
  await store.report('a', [report('t')]);
  await redis.client.hset(key('t'), 'eid', 'e'.repeat(65));
  await expect(store.snapshot(['t'])).rejects.toMatchObject({ code: 'HEALIX_STORE', reason: 'malformed' });
});
