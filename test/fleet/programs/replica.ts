// A replica of a service: serves HTTP, calls one upstream, and shares its circuits over Redis.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHealing, findHealixError, type TargetOptions } from '@healix/core';
import { obey } from '../../stalls/programs/commands.ts';

export interface ReplicaOptions {
  readonly redis: string | undefined;
  readonly service: string;
  readonly upstream: string;
  readonly settings?: TargetOptions;
}

export interface Tally {
  ok: number;
  failed: number;
  refused: number;
  /** Ms that each call took, in the order in which they ended. */
  took: number[];
}

/** A transition of the replica's circuit, in wall-clock ms. */
export interface Moved {
  readonly at: number;
  readonly to: string;
  readonly reason: string;
}

const { redis, service, upstream, settings } = JSON.parse(process.argv[2] as string) as ReplicaOptions;
const runtime = createHealing({
  shared: false,
  redis,
  service,
  defaults: { retry: { maxRetries: 0 }, timeoutMs: 1_000, ...settings },
});
const target = runtime.target('upstream:shared');
const moves: Moved[] = [];
const storeStates: string[] = [];
runtime.on('transition', ({ to, reason }) =>
  moves.push({ at: performance.timeOrigin + performance.now(), to, reason }),
);
runtime.on('store', ({ state }) => storeStates.push(state));

let tally: Tally = { ok: 0, failed: 0, refused: 0, took: [] };
let load: NodeJS.Timeout | undefined;

async function call(): Promise<number> {
  const began = performance.now();
  try {
    const status = await target.run(async ({ signal }) => {
      const { status } = await fetch(upstream, { signal });
      if (status >= 500) throw new Error(`the upstream said ${status}`);
      return status;
    });
    tally.ok++;
    return status;
  } catch (error) {
    if (findHealixError(error, 'HEALIX_CIRCUIT_OPEN')) tally.refused++;
    else tally.failed++;
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
  /** Calls that come by themselves, so many a second. */
  load: ({ perSecond }: { perSecond: number }) => {
    clearInterval(load);
    load = perSecond === 0 ? undefined : setInterval(call, 1_000 / perSecond);
  },
  /** What came of the calls since the last time. */
  tally: () => {
    const so = tally;
    tally = { ok: 0, failed: 0, refused: 0, took: [] };
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
