import { afterEach, expect, test } from 'vitest';
import { PATIENCE_MS, startLoaded, useLab } from './harness/lab.ts';
import { isAway, isConnected, type Replica, type ReplicaStatus } from './harness/replicas.ts';
import { TcpProxy } from './harness/tcp-proxy.ts';

const REPLICAS = 4;
const CALLS_PER_SECOND = 5;

const lab = useLab();
let proxy: TcpProxy | undefined;

afterEach(() => {
  proxy?.close();
  proxy = undefined;
});

const isForced =
  (state: 'open' | 'closed' | null) =>
  ({ forced }: ReplicaStatus) =>
    forced === state;

test(
  'a person decides for all, and for a replica that comes later; the last decision counts',
  async () => {
    const { fleet } = lab;
    await startLoaded(lab, REPLICAS, CALLS_PER_SECOND);
    const [a, b] = fleet.all as [Replica, Replica];
    expect(await a.force('open')).toEqual({ scope: 'fleet' });
    await fleet.become('forced open', isForced('open'));
    const [late] = (await fleet.start(1)) as [Replica];
    await late.load(CALLS_PER_SECOND);
    await fleet.become('forced open', isForced('open'));
    expect(await late.force('closed')).toEqual({ scope: 'fleet' });
    await fleet.become('forced closed', isForced('closed'));
    expect(await b.force('closed')).toEqual({ scope: 'fleet' });
    expect(await b.force(null)).toEqual({ scope: 'fleet' });
    await fleet.become('closed', ({ forced, state }) => forced === null && state === 'closed');
  },
  PATIENCE_MS,
);

test(
  'of two who decide at once one is told of the other, whose decision counts for both',
  async () => {
    const { fleet, stored } = lab;
    await startLoaded(lab, REPLICAS, CALLS_PER_SECOND);
    const [a, b] = fleet.all as [Replica, Replica];
    const results = await Promise.all([a.force('open'), b.force('closed')]);
    const winner = (await stored.forced()) as 'open' | 'closed';
    expect(['open', 'closed']).toContain(winner);
    const told = results.filter(({ conflict }) => conflict !== undefined);
    // Nobody is, where the one has heard of the other's before.
    expect([[], [{ scope: 'fleet', conflict: { state: winner } }]]).toContainEqual(told);
    const loser = winner === 'open' ? results[1] : results[0];
    if (told.length > 0) expect(loser).toBe(told[0]);
    await fleet.become(`forced ${winner}`, isForced(winner));
  },
  PATIENCE_MS,
);

test(
  'a decision survives a Redis that is emptied, and one that is started again',
  async () => {
    const { fleet, redis } = lab;
    await startLoaded(lab, REPLICAS, CALLS_PER_SECOND);
    const [a] = fleet.all as [Replica];
    expect(await a.force('open')).toEqual({ scope: 'fleet' });
    await fleet.become('forced open', isForced('open'));
    const loses = [
      () => redis.client().flushall(),
      async () => {
        await redis.kill();
        await fleet.become('without a store', isAway);
        await redis.restart();
        await fleet.become('connected', isConnected);
      },
    ];
    for (const lose of loses) {
      await lose();
      const [late] = (await fleet.start(1)) as [Replica];
      await late.load(CALLS_PER_SECOND);
      await fleet.become('forced open', isForced('open'));
    }
    expect(await a.force(null)).toEqual({ scope: 'fleet' });
    await redis.client().flushall();
    await fleet.become('closed', ({ forced, state }) => forced === null && state === 'closed');
  },
  PATIENCE_MS,
);

test(
  'what was decided while some replicas had no Redis holds for them once they have; what they decided alone does not',
  async () => {
    const { fleet, redis } = lab;
    proxy = await TcpProxy.start(redis.port);
    const [here] = (await fleet.start(2)) as [Replica];
    const apart = await fleet.start(2, { redis: `redis://127.0.0.1:${proxy.port}` });
    const [lonely] = apart as [Replica];
    await fleet.each((replica) => replica.load(CALLS_PER_SECOND));
    await fleet.become('connected', isConnected);
    expect(await here.force('open')).toEqual({ scope: 'fleet' });
    await fleet.become('forced open', isForced('open'));
    proxy.part();
    await fleet.become('without a store', isAway, apart);
    expect(await lonely.force(null)).toEqual({ scope: 'process' });
    expect(await here.force(null)).toEqual({ scope: 'fleet' });
    expect(await here.force('closed')).toEqual({ scope: 'fleet' });
    proxy.mend();
    await fleet.become('forced closed', isForced('closed'));
    expect(await lonely.force(null)).toEqual({ scope: 'fleet' });
    await fleet.become('closed', ({ forced, state }) => forced === null && state === 'closed');
  },
  PATIENCE_MS,
);
