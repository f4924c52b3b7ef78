// A replica of a service: serves HTTP, calls one upstream, and shares its circuits over Redis.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHealing, findHealixError, redisStore, type Target, type TargetOptions } from '@healix/core';
import { Cluster, Redis } from 'ioredis';
import { obey } from '../../stalls/programs/commands.ts';

export interface ReplicaOptions {
  /** A URL, the port of one server of a Redis Cluster, or that of a Sentinel. */
  readonly redis: string | number | { readonly sentinel: number; readonly name: string };
  readonly service: string;
  readonly upstream: string;
  /** Upstreams that are called whenever that one is. */
  readonly others?: readonly string[];
  /** Share of the calls that fail here by chance. */
  readonly noise?: number;
  /** Whether each call is sent a second time, by a client that is not healed. */
  readonly compares?: boolean;
  readonly settings?: TargetOptions;
}

export interface Tally {
  ok: number;
  failed: number;
  refused: number;
  /** What failed calls threw, at most ten. */
  errors: string[];
  /** Ms that each call took, in the order in which they ended. */
  took: number[];
  /** Ms that each call of the client took that is not healed. */
  bare: number[];
}

/** A transition of the replica's circuit, in wall-clock ms. */
export interface Moved {
  readonly at: number;
  /** Calls that had failed by then, since the last tally. */
  readonly failed: number;
  readonly target: string;
  readonly to: string;
  readonly reason: string;
}

const options = JSON.parse(process.argv[2] as string) as ReplicaOptions;
const { redis, service, upstream, others = [], noise = 0, compares = false, settings } = options;
const host = '127.0.0.1';
const wherever = typeof redis === 'string' ? { redis } : { store: redisStore(clientOf(redis)) };

function clientOf(at: Exclude<typeof redis, string>): Cluster | Redis {
  if (typeof at === 'number') return new Cluster([{ host, port: at }], { lazyConnect: true });
  return new Redis({ sentinels: [{ host, port: at.sentinel }], name: at.name, lazyConnect: true });
}
const runtime = createHealing({
  shared: false,
  ...wherever,
  service,
  defaults: { retry: { maxRetries: 0 }, ...settings },
});
const target = runtime.target('upstream:shared');
const beside = others.map((url, i) => ({ url, target: runtime.target(`upstream:other-${i}`) }));
const moves: Moved[] = [];
const storeStates: string[] = [];
runtime.on('transition', ({ target, to, reason }) =>
  moves.push({ at: performance.timeOrigin + performance.now(), failed: tally.failed, target, to, reason }),
);
runtime.on('store', ({ state }) => storeStates.push(state));

let tally = emptyTally();
let load: NodeJS.Timeout | undefined;

function emptyTally(): Tally {
  return { ok: 0, failed: 0, refused: 0, errors: [], took: [], bare: [] };
}

function describe(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? `: ${error.cause}` : '';
  return `${error}${cause}`;
}

function ask(whom: Target, url: string): Promise<number> {
  return whom.run(async ({ signal }) => {
    const { status } = await fetch(url, { signal });
    if (status >= 500) throw new Error(`the upstream said ${status}`);
    if (Math.random() < noise) throw new Error('by chance');
    return status;
  });
}

async function compare(): Promise<void> {
  const began = performance.now();
  await fetch(upstream).catch(() => undefined);
  tally.bare.push(performance.now() - began);
}

async function call(): Promise<number> {
  if (compares) void compare();
  for (const { url, target } of beside) ask(target, url).catch(() => undefined);
  const began = performance.now();
  try {
    const status = await ask(target, upstream);
    tally.ok++;
    return status;
  } catch (error) {
    if (findHealixError(error, 'HEALIX_CIRCUIT_OPEN')) tally.refused++;
    else {
      tally.failed++;
      if (tally.errors.length < 10) tally.errors.push(describe(error));
    }
    return 503;
  } finally {
    tally.took.push(performance.now() - began);
  }
}

const server = createServer(async (_req, res) => {
  res.writeHead(await call()).end();
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

obey({
  port: () => (server.address() as AddressInfo).port,
  /** One call. */
  call: async () => void (await call()),
  /** Calls that come by themselves, so many a second. */
  load: ({ perSecond }: { perSecond: number }) => {
    clearInterval(load);
    load = perSecond === 0 ? undefined : setInterval(call, 1_000 / perSecond);
  },
  /** What came of the calls since the last time. */
  tally: () => {
    const so = tally;
    tally = emptyTally();
    return so;
  },
  status: () => ({ ...target.status(), fleet: runtime.status().fleet }),
  moves: () => moves.splice(0),
  storeStates: () => storeStates.splice(0),
  force: ({ state }: { state: 'open' | 'closed' | null }) => target.force(state),
  close: async () => {
    clearInterval(load);
    await runtime.close();
  },
});
