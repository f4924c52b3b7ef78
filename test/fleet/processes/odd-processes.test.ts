import { afterEach, describe, expect, test } from 'vitest';
import { pause } from '../../conformance/harness/wait.ts';
import { Stallable } from '../../stalls/stallable.ts';
import { PATIENCE_MS, startLoaded, useLab } from '../harness/lab.ts';
import { isClosed, isConnected, isNotClosed, type Replica, type ReplicaStatus } from '../harness/replicas.ts';
import { Stored } from '../harness/stored.ts';
import { TcpProxy } from '../harness/tcp-proxy.ts';
import { Upstream } from '../harness/upstream.ts';

const WORKERS = 3;
const REPLICAS = 3;
const CALLS_PER_SECOND = 10;
const FROZEN_MS = 3_000;

const lab = useLab();
const closing: (() => unknown)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

describe.each([
  ['cluster workers on one port', 'cluster'],
  ['worker threads', 'threads'],
])('%s', (_, kind) => {
  async function start() {
    const { redis, service, upstream } = lab;
    const options = JSON.stringify({ redis: redis.url, service, upstream: upstream.url });
    const program = new URL('../programs/workers.ts', import.meta.url);
    const workers = await Stallable.start(program, kind, `${WORKERS}`, options);
    closing.push(() => workers.kill());
    const each = <T>(name: string, argument?: unknown) => workers.tell<T[]>('each', { name, argument });
    const become = async (is: (status: ReplicaStatus) => boolean) => {
      while (!(await each<ReplicaStatus>('status')).every(is)) await pause(100);
    };
    return { each, become };
  }

  test(
    'are replicas, each one of its own',
    async () => {
      const { fleet, upstream, stored } = lab;
      const { each, become } = await start();
      await startLoaded(lab, 1, CALLS_PER_SECOND);
      await each('load', { perSecond: CALLS_PER_SECOND });
      await become(({ fleet }) => fleet?.live === WORKERS + 1);
      const names = (await each<ReplicaStatus>('status')).map(({ fleet }) => fleet?.replica);
      expect(new Set(names).size).toBe(WORKERS);
      expect(await stored.members()).toEqual(expect.arrayContaining(names));
      expect(new Set(await each<number>('port')).size).toBe(kind === 'cluster' ? 1 : WORKERS);

      upstream.status = 503;
      await become(isNotClosed);
      await fleet.become('open', isNotClosed);
      upstream.status = 200;
      await become(isClosed);
      await fleet.become('closed', isClosed);

      const [one] = fleet.all as [Replica];
      expect(await one.force('open')).toEqual({ scope: 'fleet' });
      await become(({ forced }) => forced === 'open');
    },
    PATIENCE_MS,
  );
});

describe('a replica that was frozen for three seconds', () => {
  async function freeze(replica: Replica): Promise<void> {
    replica.signal('SIGSTOP');
    await pause(FROZEN_MS);
    replica.signal('SIGCONT');
  }

  test(
    'tells the fleet of no failure, though all of its calls are late',
    async () => {
      const { fleet, upstream, stored } = lab;
      // Less than it is frozen for: each call under way then is late, although it was answered at once.
      await startLoaded(lab, REPLICAS, CALLS_PER_SECOND, { settings: { timeoutMs: FROZEN_MS - 1_000 } });
      const [frozen] = fleet.all as [Replica];
      const name = (await frozen.status()).fleet?.replica;
      upstream.hang(true);
      const before = upstream.requests;
      while (upstream.requests < before + 2 * REPLICAS) await pause(10);
      frozen.signal('SIGSTOP');
      await pause(100);
      upstream.hang(false);
      await pause(FROZEN_MS);
      frozen.signal('SIGCONT');
      await fleet.become('at work again', isConnected);
      const until = performance.now() + FROZEN_MS;
      while (performance.now() < until) {
        expect(await stored.reporters()).not.toContain(name);
        await pause(50);
      }
      expect((await frozen.tally()).errors).toEqual([]);
      for (const moves of await fleet.each((replica) => replica.moves())) expect(moves).toEqual([]);
    },
    PATIENCE_MS,
  );

  test(
    'takes up what the others have come to meanwhile',
    async () => {
      const { fleet, upstream } = lab;
      await startLoaded(lab, REPLICAS, CALLS_PER_SECOND);
      const [frozen, ...others] = fleet.all as [Replica, ...Replica[]];
      frozen.signal('SIGSTOP');
      upstream.status = 503;
      await fleet.become('open', isNotClosed, others);
      frozen.signal('SIGCONT');
      await fleet.become('open', isNotClosed);
      await freeze(frozen);
      upstream.status = 200;
      await fleet.become('closed', isClosed);
    },
    PATIENCE_MS,
  );
});

test(
  'a replica whose network fails tells the fleet nothing, and opens its own circuits alone',
  async () => {
    const { fleet, redis, service, upstream } = lab;
    const others = await Promise.all(Array.from({ length: 3 }, () => new Upstream().listen()));
    const proxies = await Promise.all([upstream, ...others].map(({ port }) => TcpProxy.start(port)));
    for (const each of [...others, ...proxies]) closing.push(() => each.close());
    const options = (urls: string[]) => ({ upstream: urls[0] as string, others: urls.slice(1) });
    const healthy = await fleet.start(REPLICAS, options([upstream, ...others].map(({ url }) => url)));
    const [bad] = (await fleet.start(1, options(proxies.map(({ port }) => `http://127.0.0.1:${port}/`)))) as [
      Replica,
    ];
    await fleet.each((replica) => replica.load(CALLS_PER_SECOND));
    // Its windows are full of successes: what fails then is a small share for long.
    await fleet.become('connected and full', ({ counts, fleet }) => {
      return counts.success >= 4 * CALLS_PER_SECOND && fleet?.store.state === 'connected';
    });
    const name = (await bad.status()).fleet?.replica as string;
    const targets = ['upstream:shared', 'upstream:other-0', 'upstream:other-1', 'upstream:other-2'];
    const records = targets.map((target) => new Stored(redis.client(), service, target));
    for (const proxy of proxies.slice(0, 3)) proxy.part();
    let told = 0;
    const look = async () => {
      for (const record of records) told = Math.max(told, await record.streakOf(name));
    };
    let last = await bad.status();
    while (last.state === 'closed') {
      await look();
      last = await bad.status();
    }
    const until = performance.now() + 3_000;
    while (performance.now() < until) await look();
    // What it tells before most of them have failed twice.
    expect(told).toBeLessThan(10);
    expect(last.fleet?.suspectsItself).toBe(true);
    for (const replica of healthy) expect(await replica.moves()).toEqual([]);
  },
  PATIENCE_MS,
);
