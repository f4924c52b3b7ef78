import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { pause } from '../../conformance/harness/wait.ts';
import { type Lab, PATIENCE_MS, startLoaded, useLab } from '../harness/lab.ts';
import {
  isAway,
  isClosed,
  isConnected,
  isNotClosed,
  type Replica,
  type ReplicaStatus,
} from '../harness/replicas.ts';
import { TcpProxy } from '../harness/tcp-proxy.ts';
import { digestsOf, readScripts } from '../pinned/scripts.ts';

const REPLICAS = 5;
const CALLS_PER_SECOND = 10;
const SAMPLE_MS = 3_000;
/** A call that waited for Redis would take 50 ms more at least, and seconds where it is not reached. */
const SLOWER_MS = 25;
const SLOWER_AT_WORST_MS = 500;
const FROZEN_MS = 60_000;
/** A report and a heartbeat may be under way at once, three times. */
const WRITES_BEFORE_RENEWAL = 6;

const { scripts } = readScripts(
  fileURLToPath(new URL('../../../packages/core/src/store/redis', import.meta.url)),
);
const digests = digestsOf(scripts);

interface Outage {
  readonly name: string;
  begin(lab: Lab): unknown;
  end(lab: Lab): unknown;
}

const outages: Outage[] = [
  {
    name: 'killed, and started again empty',
    begin: ({ redis }) => redis.kill(),
    end: ({ redis }) => redis.restart(),
  },
  { name: 'frozen', begin: ({ redis }) => redis.pause(), end: ({ redis }) => redis.resume() },
  {
    name: 'read-only',
    begin: ({ redis }) => redis.readOnly(true),
    end: ({ redis }) => redis.readOnly(false),
  },
  { name: 'full', begin: ({ redis }) => redis.full(true), end: ({ redis }) => redis.full(false) },
];

const lab = useLab();
let proxy: TcpProxy | undefined;

afterEach(() => {
  proxy?.close();
  proxy = undefined;
});

const isOneOf =
  (count: number) =>
  ({ fleet }: ReplicaStatus) =>
    fleet?.live === count && fleet.store.state === 'connected';

/** Of how long calls took, in ms. */
interface Times {
  readonly median: number;
  readonly p99: number;
}

interface Sample {
  readonly healed: Times;
  /** Of the same calls at the same time, by a client that knows nothing of Redis. */
  readonly bare: Times;
}

function timesOf(took: readonly number[]): Times {
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number) => Number(sorted[Math.floor(sorted.length * share)]?.toFixed(1));
  return { median: at(0.5), p99: at(0.99) };
}

/** How long calls take while none may fail. */
async function sampleCalls({ fleet }: Lab): Promise<Sample> {
  await fleet.each((replica) => replica.tally());
  await pause(SAMPLE_MS);
  const tallies = await fleet.each((replica) => replica.tally());
  for (const { failed, refused, errors } of tallies) {
    expect({ failed, refused, errors }).toEqual({ failed: 0, refused: 0, errors: [] });
  }
  const healed = timesOf(tallies.flatMap(({ took }) => took));
  return { healed, bare: timesOf(tallies.flatMap(({ bare }) => bare)) };
}

/** Nothing but Redis is away: so the calls are as quick as those of a client that has none. */
function expectNoWait(name: string, { healed, bare }: Sample, before?: Sample): void {
  const was = before === undefined ? '' : `before ${JSON.stringify(before.healed)}, `;
  console.log(`${name}: ${was}during ${JSON.stringify(healed)}, bare ${JSON.stringify(bare)} ms`);
  expect(healed.median).toBeLessThan(1.5 * bare.median + SLOWER_MS);
  expect(healed.p99).toBeLessThan(1.5 * bare.p99 + SLOWER_AT_WORST_MS);
}

/** Each replica opens, and closes, by itself. */
async function healsAlone({ fleet, upstream }: Lab): Promise<void> {
  upstream.status = 503;
  await fleet.become('open', isNotClosed);
  upstream.status = 200;
  await fleet.become('closed', isClosed);
}

describe('while Redis is away, no call fails or waits, and each replica heals alone; then they are one again', () => {
  test.each(outages)(
    '$name',
    async ({ name, begin, end }) => {
      await startLoaded(lab, REPLICAS, CALLS_PER_SECOND, { compares: true });
      const before = await sampleCalls(lab);
      await begin(lab);
      await lab.fleet.become('without a store', isAway);
      expectNoWait(name, await sampleCalls(lab), before);
      await healsAlone(lab);
      await end(lab);
      await lab.fleet.become('one', isOneOf(REPLICAS));
      await lab.fleet.become('closed', isClosed);
      expect(await lab.stored.isOpen()).toBe(false);
    },
    PATIENCE_MS,
  );

  test(
    'while they start',
    async () => {
      const { redis, fleet } = lab;
      await redis.kill();
      await fleet.start(REPLICAS, { compares: true });
      await fleet.each((replica) => replica.load(CALLS_PER_SECOND));
      await fleet.become('without a store', isAway);
      expectNoWait('while they start', await sampleCalls(lab));
      await healsAlone(lab);
      await redis.restart();
      await fleet.become('one', isOneOf(REPLICAS));
    },
    PATIENCE_MS,
  );
});

test(
  'a Redis that is frozen for a minute finds a few writes of a replica at most when it goes on',
  async () => {
    const { redis, fleet, broken } = lab;
    proxy = await TcpProxy.start(redis.port);
    await startLoaded(lab, 1, CALLS_PER_SECOND);
    // Fails for ever, and alone: so it has something to tell for ever.
    const options = { redis: `redis://127.0.0.1:${proxy.port}`, upstream: broken.url };
    const [failing] = (await fleet.start(1, options)) as [Replica];
    await failing.load(CALLS_PER_SECOND);
    await fleet.become('open by itself', isNotClosed, [failing]);
    const writes = [digests.report, digests.heartbeat, digests.claim, digests.seed] as string[];
    let sent = 0;
    proxy.onRequest = (data) => {
      const text = data.toString('latin1');
      for (const digest of writes) sent += text.split(digest).length - 1;
    };
    await fleet.become('connected', isConnected);
    while (sent === 0) await pause(10);
    redis.pause();
    sent = 0;
    await pause(FROZEN_MS);
    // It gives the connection up after three times, and sends none before a new one has answered.
    console.log(`frozen for ${FROZEN_MS} ms: ${sent} writes`);
    expect(sent).toBeLessThanOrEqual(WRITES_BEFORE_RENEWAL);
    redis.resume();
    await fleet.become('one', isOneOf(2));
  },
  PATIENCE_MS + FROZEN_MS,
);

test(
  'what has opened with the fleet while Redis was there closes without it, and the record follows',
  async () => {
    const { redis, fleet, upstream, stored } = lab;
    await startLoaded(lab, REPLICAS, CALLS_PER_SECOND);
    upstream.status = 503;
    await fleet.become('open', isNotClosed);
    redis.pause();
    upstream.status = 200;
    await fleet.become('closed', isClosed);
    // Longer than the open time and every lease that Redis knows of.
    await pause(8_000);
    await fleet.each((replica) => replica.moves());
    redis.resume();
    await fleet.become('one', isOneOf(REPLICAS));
    while (await stored.isOpen()) await pause(50);
    for (const moved of await fleet.each((replica) => replica.moves())) expect(moved).toEqual([]);
  },
  PATIENCE_MS,
);

test(
  'half of the replicas without Redis: each half opens and closes, and they are one again',
  async () => {
    const { redis, fleet, upstream } = lab;
    proxy = await TcpProxy.start(redis.port);
    const here = await fleet.start(REPLICAS, { compares: true });
    const apart = await fleet.start(REPLICAS, { compares: true, redis: `redis://127.0.0.1:${proxy.port}` });
    await fleet.each((replica) => replica.load(CALLS_PER_SECOND / 2));
    await fleet.become('one', isOneOf(2 * REPLICAS));
    const before = await sampleCalls(lab);
    proxy.part();
    await fleet.become('without a store', isAway, apart);
    expectNoWait('half without Redis', await sampleCalls(lab), before);
    await fleet.become('connected', isConnected, here);
    upstream.status = 503;
    await fleet.become('open', isNotClosed);
    proxy.mend();
    await fleet.become('one', isOneOf(2 * REPLICAS));
    upstream.status = 200;
    await fleet.become('closed', isClosed);
  },
  PATIENCE_MS,
);

test(
  'an emptied Redis never closes what is open',
  async () => {
    const { redis, fleet, upstream } = lab;
    await startLoaded(lab, REPLICAS, CALLS_PER_SECOND);
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
