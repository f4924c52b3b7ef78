import { afterAll, beforeAll, expect, it } from 'vitest';
import { claim, report, seed, verdict } from '../../../packages/core/src/store/conformance/inputs.ts';
import { redisStore } from '../../../packages/core/src/store/redis/redis-store.ts';
import type { FleetView, Store } from '../../../packages/core/src/store/store.ts';
import { RedisServer } from '../harness/redis-server.ts';

const KEYS = '~{healix:v1:permitted}:*';
const NEEDED =
  '+evalsha +eval +time +hmget +hset +hdel +hgetall +del +pexpire +xadd +xread +xrevrange +zadd +zrem +zcard +zrange +zremrangebyscore';

let server: RedisServer;

beforeAll(async () => {
  server = await RedisServer.start();
});
afterAll(() => server.stop());

async function as(user: string, rules: string): Promise<Store> {
  await server.client().acl('SETUSER', user, 'reset', 'on', '>secret', ...rules.split(' '));
  const store = redisStore(server.client({ username: user, password: 'secret', lazyConnect: true }));
  store.open('permitted');
  return store;
}

async function everything(store: Store): Promise<void> {
  const { cursor } = await store.heartbeat('a');
  await store.report('a', [report('t', { failures: 1 })]);
  const [view] = (await store.seed('a', [seed({ target: 'u', remainingMs: 0 })])) as [FleetView];
  await store.claim('a', claim(view, 'p'));
  await store.renew('a', claim(view, 'p'));
  await store.settle('a', verdict(view, 'p', 'unused'));
  await store.force('a', { target: 't', state: null, token: 'x', baseVersion: 0, nextId: 'f' });
  await store.snapshot(['t', 'u']);
  await store.read(cursor, 0, AbortSignal.timeout(1_000));
  await store.leave('a');
}

it.each(['', ' +info'])('a user with what is documented%s can do everything', async (more) => {
  await server.client().flushall();
  const store = await as('enough', `${KEYS} ${NEEDED}${more}`);
  await everything(store);
  await store.close();
});

it.each(NEEDED.split(' ').map((rule) => rule.slice(1)))('a user without %s is told so', async (command) => {
  await server.client().flushall();
  const rules = NEEDED.replace(`+${command} `, '').replace(
    / \+zremrangebyscore$/,
    command === 'zremrangebyscore' ? '' : '$&',
  );
  const store = await as('lacking', `${KEYS} ${rules}`);
  const scripts = command === 'eval' && (await server.client().script('FLUSH'));
  expect(scripts).toBeDefined();
  // By whatever comes first: else heartbeats would say that all is well.
  await expect(store.heartbeat('a')).rejects.toMatchObject({
    reason: 'denied',
    message: expect.stringContaining(command),
  });
  await store.close();
});
