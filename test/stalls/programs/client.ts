// Calls an upstream in every way that healix heals, each way a target of its own.
import { createHealing, findHealixError } from '@healix/core';
import { healingDispatcher, healingFetch, healingInterceptor } from '@healix/undici';
import * as undici from 'undici';
import * as undici7 from 'undici7';
import { block, obey } from './commands.ts';

const WAYS = ['run', 'fetch', 'undici8', 'undici7', 'builtIn'] as const;
type Way = (typeof WAYS)[number];

function makeClient() {
  const runtime = createHealing({
    shared: false,
    defaults: {
      timeoutMs: 2_000,
      deadlineMs: 2_000,
      retry: { maxRetries: 0 },
      circuit: { consecutiveFailures: 5, probes: 1, probeTimeoutMs: 2_000, openMs: 2_000, rampMs: 0 },
    },
  });
  const healedFetch = healingFetch(undefined, { runtime, key: () => 'fetch' });
  const agent8 = healingDispatcher(new undici.Agent(), { runtime, key: () => 'undici8' });
  const agent7 = new undici7.Agent().compose(
    healingInterceptor({ runtime, key: ({ path }) => path.slice(1) }) as never,
  );
  const ways: Record<Way, (url: string) => Promise<number>> = {
    run: (url) =>
      runtime.target('upstream:run').run(async ({ signal }) => {
        const { status } = await fetch(url, { signal });
        if (status >= 500) throw new Error(String(status));
        return status;
      }),
    fetch: async (url) => (await healedFetch(url)).status,
    undici8: async (url) => (await undici.request(url, { dispatcher: agent8 })).statusCode,
    undici7: async (url) => (await undici7.request(url, { dispatcher: agent7 })).statusCode,
    builtIn: async (url) => (await fetch(url, { dispatcher: agent7 } as never)).status,
  };
  return { runtime, ways };
}

let { runtime, ways } = makeClient();

/** The statuses of `count` calls each way, or the codes of their errors. */
async function call({
  origin,
  count,
}: {
  origin: string;
  count: number;
}): Promise<Record<string, unknown[]>> {
  const results = await Promise.all(
    WAYS.map((name) => Promise.all(Array.from({ length: count }, () => attempt(name, origin)))),
  );
  return Object.fromEntries(WAYS.map((name, i) => [name, results[i] as unknown[]]));
}

function attempt(name: Way, origin: string): Promise<unknown> {
  return ways[name](`${origin}/${name}`).catch((error) => findHealixError(error)?.code ?? String(error));
}

obey({
  /** Starts over, with targets that know nothing. */
  renew() {
    ({ runtime, ways } = makeClient());
  },
  call,
  /** Blocks, and calls before anything else can run. */
  blockAndCall({ id, ms, ...calls }: { id: number; ms: number; origin: string; count: number }) {
    block({ id, ms });
    return call(calls);
  },
  /** Has the next call of each target be a probe. */
  async halfOpen() {
    for (const name of WAYS) {
      await runtime.target(`upstream:${name}`).force('open');
      await runtime.target(`upstream:${name}`).force(null);
    }
  },
  targets: () =>
    WAYS.map((name) => {
      const { state, counts, inFlight } = runtime.target(`upstream:${name}`).status();
      const { success, failure, ignored } = counts;
      return { name, state, success, failure, ignored, inFlight };
    }),
  incidents: () => runtime.incidents().length,
  stalls: () => runtime.status().stalls,
});
