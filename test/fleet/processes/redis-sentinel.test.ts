import { afterEach, beforeEach, expect, test } from 'vitest';
import { pause } from '../../conformance/harness/wait.ts';
import { PATIENCE_MS } from '../harness/lab.ts';
import { RedisSentinel, SENTINEL_NAME } from '../harness/redis-sentinel.ts';
import { RedisServer } from '../harness/redis-server.ts';
import { isClosed, isConnected, isNotClosed, type ReplicaStatus, Replicas } from '../harness/replicas.ts';
import { Upstream } from '../harness/upstream.ts';

const REPLICAS = 5;
const CALLS_PER_SECOND = 10;

let primary: RedisServer;
let standby: RedisServer;
let sentinel: RedisSentinel;
let upstream: Upstream;
let fleet: Replicas;

/** As long as a test may take: Sentinel looks every few seconds. */
async function when(is: () => Promise<boolean>): Promise<void> {
  while (!(await is())) await pause(100);
}

const isOne = ({ fleet }: ReplicaStatus) => fleet?.live === REPLICAS && fleet.store.state === 'connected';

beforeEach(async () => {
  primary = await RedisServer.start();
  const follows = ['--replicaof', '127.0.0.1', `${primary.port}`, '--repl-diskless-sync-delay', '0'];
  standby = await RedisServer.start(...follows);
  sentinel = await RedisSentinel.watch(primary);
  await when(() => sentinel.knows(standby));
  await when(async () => (await standby.client().info('replication')).includes('link_status:up'));
  upstream = await new Upstream().listen();
  const redis = { sentinel: sentinel.port, name: SENTINEL_NAME };
  fleet = new Replicas({ redis, service: 'watched', upstream: upstream.url });
  await fleet.start(REPLICAS);
  await fleet.each((replica) => replica.load(CALLS_PER_SECOND));
  await fleet.become('connected', isConnected);
}, PATIENCE_MS);

afterEach(async () => {
  fleet.kill();
  upstream.close();
  sentinel.stop();
  await Promise.all([primary.stop(), standby.stop()]);
});

test(
  'a primary that is frozen while the fleet is open is left: nothing closes by it, and they are one again',
  async () => {
    upstream.status = 503;
    await fleet.become('open', isNotClosed);
    primary.pause();
    await when(() => sentinel.hasPromoted(standby));
    const seen = fleet.all.map(() => [] as string[]);
    await when(async () => {
      const fresh = await fleet.each((replica) => replica.storeStates());
      for (const [i, states] of fresh.entries()) seen[i]?.push(...states);
      return seen.every((states) => states.includes('away') && states.at(-1) === 'connected');
    });
    await fleet.become('one', isOne);
    for (const moves of await fleet.each((replica) => replica.moves())) {
      expect(moves.filter(({ to }) => to === 'closed')).toEqual([]);
    }
    upstream.status = 200;
    await fleet.become('closed', isClosed);
  },
  PATIENCE_MS,
);
