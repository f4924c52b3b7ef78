import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pause } from '../conformance/harness/wait.ts';
import { RedisServer } from './harness/redis-server.ts';
import { type ReplicaStatus, Replicas } from './harness/replicas.ts';
import { Upstream } from './harness/upstream.ts';

/** Many processes on two busy cores. */
const PATIENCE_MS = 90_000;
const REPLICAS = 5;
const CALLS_PER_SECOND = 10;
/** Probes an epoch, for the whole fleet. */
const PROBES = 3;

const isClosed = ({ state }: ReplicaStatus) => state === 'closed';
const isNotClosed = ({ state }: ReplicaStatus) => state !== 'closed';
const knowsAll = ({ fleet }: ReplicaStatus) => fleet?.live === REPLICAS;
const isAway = ({ fleet }: ReplicaStatus) => fleet?.store.state === 'away';

describe('replicas in processes of their own, over a real Redis', () => {
  let redis: RedisServer;
  let upstream: Upstream;
  let broken: Upstream;
  let fleet: Replicas;
  let serial = 0;

  beforeAll(async () => {
    redis = await RedisServer.start();
  });

  afterAll(() => redis.stop());

  beforeEach(async () => {
    upstream = await new Upstream().listen();
    broken = await new Upstream().listen();
    broken.status = 503;
    fleet = new Replicas({ redis: redis.url, service: `service-${serial++}`, upstream: upstream.url });
  });

  afterEach(() => {
    fleet.kill();
    upstream.close();
    broken.close();
  });

  async function startAll(): Promise<void> {
    await fleet.start(REPLICAS);
    await fleet.each((replica) => replica.load(CALLS_PER_SECOND));
    await fleet.become('one', knowsAll);
  }

  test(
    'what fails for all opens for all, is tried by a few probes, and closes for all',
    async () => {
      await startAll();
      upstream.status = 503;
      await fleet.become('open', isNotClosed);
      await fleet.each((replica) => replica.moves());
      const before = upstream.requests;
      await pause(5_000);
      const reopened = (await fleet.each((replica) => replica.moves())).map(
        (moves) => moves.filter(({ reason }) => reason === 'fleet-opened').length,
      );
      // A trial may be under way at either end.
      expect(upstream.requests - before).toBeLessThanOrEqual(PROBES * (Math.max(...reopened) + 2));
      expect(Math.max(...reopened)).toBeGreaterThan(0);
      upstream.status = 200;
      await fleet.become('closed', isClosed);
    },
    PATIENCE_MS,
  );

  test(
    'a replica that alone fails opens alone',
    async () => {
      await fleet.start(REPLICAS - 1);
      await fleet.start(1, { upstream: broken.url });
      await fleet.each((replica) => replica.load(CALLS_PER_SECOND));
      const [bad, good] = [fleet.all.at(-1), fleet.all.slice(0, -1)];
      await fleet.become('one', knowsAll);
      await pause(5_000);
      expect((await bad?.moves())?.some(({ to }) => to === 'open')).toBe(true);
      for (const replica of good) expect(await replica.moves()).toEqual([]);
    },
    PATIENCE_MS,
  );

  test(
    'a person decides for all, and for a replica that comes later',
    async () => {
      await startAll();
      expect(await fleet.all[0]?.force('open')).toEqual({ scope: 'fleet' });
      await fleet.become('forced open', ({ forced }) => forced === 'open');
      await fleet.start(1);
      await fleet.each((replica) => replica.load(CALLS_PER_SECOND));
      await fleet.become('forced open', ({ forced }) => forced === 'open');
      expect(await fleet.all[1]?.force(null)).toEqual({ scope: 'fleet' });
      await fleet.become('closed', ({ forced, state }) => forced === null && state === 'closed');
    },
    PATIENCE_MS,
  );

  test(
    'without Redis no call fails or waits, and each replica heals alone; then they are one again',
    async () => {
      await startAll();
      await fleet.each((replica) => replica.tally());
      await redis.kill();
      await fleet.become('without a store', isAway);
      for (const { failed, refused } of await fleet.each((replica) => replica.tally())) {
        expect({ failed, refused }).toEqual({ failed: 0, refused: 0 });
      }
      upstream.status = 503;
      await fleet.become('open', isNotClosed);
      upstream.status = 200;
      await fleet.become('closed', isClosed);
      expect(await fleet.all[0]?.force('closed')).toEqual({ scope: 'process' });
      await fleet.all[0]?.force(null);
      await redis.restart();
      await fleet.become('one', (status) => knowsAll(status) && status.fleet?.store.state === 'connected');
    },
    PATIENCE_MS,
  );

  test(
    'an emptied Redis never closes what is open',
    async () => {
      await startAll();
      upstream.status = 503;
      await fleet.become('open', isNotClosed);
      const client = redis.client();
      for (let times = 0; times < 10; times++) {
        await client.flushall();
        await pause(300);
        for (const moves of await fleet.each((replica) => replica.moves())) {
          expect(moves.filter(({ to }) => to === 'closed')).toEqual([]);
        }
      }
      upstream.status = 200;
      await fleet.become('closed', isClosed);
    },
    PATIENCE_MS,
  );

  test(
    'whoever dies with a probe under way holds nobody up',
    async () => {
      await startAll();
      upstream.status = 503;
      await fleet.become('open', isNotClosed);
      upstream.hang(true);
      await pause(2_500);
      for (const replica of fleet.all.splice(0, 2)) replica.signal('SIGKILL');
      upstream.hang(false);
      upstream.status = 200;
      await fleet.become('closed', isClosed);
    },
    PATIENCE_MS,
  );
});
