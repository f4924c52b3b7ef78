import { pause } from '../../test/conformance/harness/wait.ts';
import { RedisServer } from '../../test/fleet/harness/redis-server.ts';
import { Upstream } from '../../test/fleet/harness/upstream.ts';
import { type Aim, atMost, type Figure, figure, type Section } from '../report.ts';
import { estimateOf, median, quantile } from '../statistics.ts';
import { ToldProcess } from './told-process.ts';

export interface OutageOptions {
  readonly redis: string;
  readonly url: string;
  readonly perSecond: number;
}

/** What became of calls. */
export interface Called {
  /** Ms that each took. */
  readonly took: number[];
  failed: number;
}

interface Outage {
  readonly name: string;
  begin(server: RedisServer): unknown;
  end(server: RedisServer): unknown;
}

interface Found {
  readonly before: number[];
  readonly during: number[];
  failed: number;
}

const PER_SECOND = 500;
const BETWEEN_LOOKS_MS = 20;
/** Of the 99th percentile, during / before: what two windows without any outage may differ by on a busy machine. */
const MOST_RATIO = 1.5;

const OUTAGES: readonly Outage[] = [
  { name: 'none', begin: () => undefined, end: () => undefined },
  { name: 'killed', begin: (server) => server.kill(), end: (server) => server.restart() },
  { name: 'frozen', begin: (server) => server.pause(), end: (server) => server.resume() },
  { name: 'read-only', begin: (server) => server.readOnly(true), end: (server) => server.readOnly(false) },
  { name: 'full', begin: (server) => server.full(true), end: (server) => server.full(false) },
];

/** The 99th percentile of real HTTP calls before an outage of Redis, and from its first moment on. */
export async function measureOutages(quick: boolean): Promise<Section> {
  const { rounds, windowMs } = quick ? { rounds: 1, windowMs: 200 } : { rounds: 9, windowMs: 3_000 };
  const outages = quick ? OUTAGES.slice(0, 2) : OUTAGES;
  const found = new Map(outages.map(({ name }) => [name, { before: [], during: [], failed: 0 } as Found]));
  const server = await RedisServer.start();
  const upstream = await new Upstream().listen();
  const options: OutageOptions = { redis: server.url, url: upstream.url, perSecond: PER_SECOND };
  const caller = await ToldProcess.start(new URL('./outage-caller.ts', import.meta.url), options);
  const call = (ms: number) => caller.tell<Called>('call', { ms });
  try {
    await call(windowMs);
    for (let round = 0; round < rounds; round++) {
      for (const { name, begin, end } of outages) {
        await untilConnected(caller);
        const before = await call(windowMs);
        await begin(server);
        const during = await call(windowMs);
        await end(server);
        const so = found.get(name)!;
        so.before.push(p99(before));
        so.during.push(p99(during));
        so.failed += before.failed + during.failed;
      }
    }
  } finally {
    await caller.stop();
    upstream.close();
    await server.stop();
  }
  return sectionOf(found, rounds, windowMs);
}

async function untilConnected(caller: ToldProcess): Promise<void> {
  while ((await caller.tell('store')) !== 'connected') await pause(BETWEEN_LOOKS_MS);
}

function p99({ took }: Called): number {
  return quantile(Float64Array.from(took).sort(), 0.99);
}

function sectionOf(found: ReadonlyMap<string, Found>, rounds: number, windowMs: number): Section {
  const figures: Figure[] = [];
  const aims: Aim[] = [];
  let failed = 0;
  for (const [name, one] of found) {
    const ratios = one.during.map((ms, round) => ms / one.before[round]!);
    figures.push(
      figure(`${name}, before`, 'ms', estimateOf(one.before)),
      figure(`${name}, during`, 'ms', estimateOf(one.during), `${name}, before`, median(ratios)),
    );
    if (name !== 'none')
      aims.push(atMost(`${name}, p99 during / before, median`, MOST_RATIO, median(ratios)));
    failed += one.failed;
  }
  return {
    title: 'The 99th percentile of calls while Redis is away',
    notes: [
      `One process, ${PER_SECOND} HTTP calls a second through a healed undici dispatcher; ${rounds} rounds of each outage, each ${windowMs / 1_000} s before it`,
      'and as long from its first moment on. Ratios are taken within a round. None: what two windows differ by without one.',
    ],
    figures,
    aims: [...aims, atMost('calls that failed, of all', 0, failed)],
  };
}
