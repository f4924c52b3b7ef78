import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { pause } from '../../conformance/harness/wait.ts';
import { PATIENCE_MS } from '../harness/lab.ts';
import { RedisCluster } from '../harness/redis-cluster.ts';
import {
  isAway,
  isClosed,
  isConnected,
  isNotClosed,
  type Replica,
  type ReplicaStatus,
  Replicas,
} from '../harness/replicas.ts';
import { Upstream } from '../harness/upstream.ts';

const REPLICAS = 5;
const CALLS_PER_SECOND = 10;

let cluster: RedisCluster;
let upstream: Upstream;
let fleet: Replicas;
let stream: string;
let serial = 0;

beforeAll(async () => {
  cluster = await RedisCluster.start();
}, PATIENCE_MS);

beforeEach(async () => {
  const service = `clustered-${serial++}`;
  stream = `{healix:v1:${service}}:s`;
  upstream = await new Upstream().listen();
  fleet = new Replicas({ redis: cluster.port, service, upstream: upstream.url });
  await fleet.start(REPLICAS);
  await fleet.each((replica) => replica.load(CALLS_PER_SECOND));
  await fleet.become('connected', isConnected);
}, PATIENCE_MS);

afterEach(() => {
  fleet.kill();
  upstream.close();
});

afterAll(() => cluster.stop());

const isOne = ({ fleet }: ReplicaStatus) => fleet?.live === REPLICAS && fleet.store.state === 'connected';

/** The reasons for which each replica has opened since the last time. */
async function openings(): Promise<string[][]> {
  const all = await fleet.each((replica) => replica.moves());
  return all.map((moves) => moves.filter(({ to }) => to === 'open').map(({ reason }) => reason));
}

async function openAndClose(): Promise<string[][]> {
  await openings();
  upstream.status = 503;
  await fleet.become('open', isNotClosed);
  const reasons = await openings();
  upstream.status = 200;
  await fleet.become('closed', isClosed);
  return reasons;
}

test(
  'a slot that is half moved leaves each replica to itself; once it has moved they are one again',
  async () => {
    await openAndClose();
    const from = await cluster.ownerOf(stream);
    const to = await cluster.otherPrimary(from);
    await cluster.halfMove(stream, from, to);
    await fleet.become('without a store', isAway);
    for (const reasons of await openAndClose()) expect(reasons).not.toContain('fleet-opened');
    await cluster.endMove(stream, from, to);
    await fleet.become('one', isOne);
    await fleet.become('closed', isClosed);

    // Those who wait for news wait where they come from now.
    while ((await cluster.readersAt(to)) < REPLICAS) await pause(50);
    const [one] = fleet.all as [Replica];
    expect(await one.force('open')).toEqual({ scope: 'fleet' });
    await fleet.become('forced open', ({ forced }) => forced === 'open');
  },
  PATIENCE_MS,
);

test(
  'a failover that has lost the opening closes nothing: the new primary is told of it',
  async () => {
    await openAndClose();
    const primary = await cluster.ownerOf(stream);
    const replica = await cluster.replicaOf(primary);
    replica.pause();
    upstream.status = 503;
    await fleet.become('open', isNotClosed);
    await fleet.each((each) => each.moves());
    await primary.kill();
    replica.resume();
    await fleet.become('without a store', isAway);
    await fleet.become('one', isOne);
    for (const moves of await fleet.each((each) => each.moves())) {
      expect(moves.filter(({ to }) => to === 'closed')).toEqual([]);
    }
    upstream.status = 200;
    await fleet.become('closed', isClosed);
  },
  PATIENCE_MS,
);
