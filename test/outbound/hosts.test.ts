import { setTimeout as sleep } from 'node:timers/promises';
import { createHealing, type Healing } from '@healix/core';
import { healingDispatcher, healingFetch, healingInterceptor } from '@healix/undici';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../conformance/harness/wait.ts';
import { MAJORS } from './lab.ts';
import { type Condition, ManyHosts } from './many-hosts.ts';

type Dispatcher = import('undici').Dispatcher;
type Undici = (typeof MAJORS)[number]['undici'];

const hosts = new ManyHosts();
let runtime: Healing;
let kept: Dispatcher[] = [];
const keep = <D extends Dispatcher>(dispatcher: D): D => {
  kept.push(dispatcher);
  return dispatcher;
};

beforeAll(() => hosts.listen());
afterAll(() => hosts.close());
beforeEach(() => {
  hosts.reset();
  runtime = createHealing({
    shared: false,
    defaults: { deadlineMs: 1_000, circuit: { minimumCalls: 10_000, consecutiveFailures: 1_000 } },
    targets: {
      'upstream:search': { hosts: hosts.origins },
      'upstream:http://search.internal': { hosts: hosts.origins },
    },
  });
});
afterEach(async () => {
  await Promise.all(kept.map((dispatcher) => dispatcher.destroy()));
  kept = [];
  await runtime.close();
});

/** The share of good answers to `calls` calls, 2 ms apart. */
async function load(ask: () => Promise<boolean>, calls = 300): Promise<number> {
  let good = 0;
  const all: Promise<void>[] = [];
  for (let n = 0; n < calls; n++) {
    all.push(
      ask().then(
        (well) => {
          if (well) good++;
        },
        () => {},
      ),
    );
    await sleep(2);
  }
  await Promise.all(all);
  return good / calls;
}

/** Calls until the host is found out: on a busy machine its peers are slow at times, too. */
async function untilOut(ask: () => Promise<boolean>, stateOf: () => string | undefined): Promise<void> {
  await until('the host to be out', async () => {
    await load(ask, 100);
    return stateOf() !== 'in-use';
  });
}

const BAD: readonly Condition[] = ['fails', 'slow', 'hangs'];
const UNDICIS = MAJORS.filter(({ through }) => through === 'dispatcher');

describe('run', () => {
  test.each(BAD)('one host of four %s: nearly all answers are good, and in time', async (condition) => {
    const target = runtime.target('upstream:search');
    const ask = async () => {
      const begun = performance.now();
      const send = async ({ host, signal }: { host: string | undefined; signal: AbortSignal }) => {
        const res = await fetch(`${host}/items`, { signal });
        await res.text();
        return res;
      };
      return (await target.run(send, { idempotent: true })).ok && performance.now() - begun < 500;
    };
    await load(ask, 100);
    hosts.conditions[0] = condition;
    await untilOut(ask, () => target.status().hosts?.[0]?.state);
    const served = hosts.counts[0] as number;
    const good = await load(ask);
    if (target.status().hosts?.[0]?.state !== 'in-use') {
      expect(good).toBeGreaterThan(0.9);
      expect((hosts.counts[0] as number) - served).toBeLessThan(30);
    }
    hosts.conditions[0] = 'well';
    for (let n = 0; n < 30 && target.status().hosts?.[0]?.state !== 'in-use'; n++) await load(ask, 100);
    expect(target.status().hosts?.[0]).toMatchObject({ state: 'in-use', inFlight: 0 });
  });
});

describe.each(UNDICIS)('undici $major', ({ undici }: { undici: Undici }) => {
  const { Agent, BalancedPool, Pool, request } = undici;
  // Newer than some of undici 7.
  const RoundRobinPool = (undici as { RoundRobinPool?: typeof Pool }).RoundRobinPool ?? Pool;
  const key = () => 'search';
  const asker = (dispatcher: Dispatcher) => async () => {
    const { statusCode, body } = await request('http://search.internal/items?q=1', { dispatcher });
    await body.text();
    return statusCode === 200;
  };
  const ways: [string, () => Dispatcher][] = [
    ['an Agent', () => healingDispatcher(keep(new Agent()), { runtime, key })],
    [
      'an Agent of RoundRobinPools',
      () =>
        healingDispatcher(
          keep(new Agent({ factory: (origin, options) => new RoundRobinPool(origin, options as object) })),
          { runtime, key },
        ),
    ],
    ['a BalancedPool', () => healingDispatcher(keep(new BalancedPool(hosts.origins)), { runtime, key })],
    ['an interceptor over an Agent', () => keep(new Agent()).compose(healingInterceptor({ runtime, key }))],
    ['a name of its own', () => healingDispatcher(keep(new Agent()), { runtime })],
  ];
  const statusOf = () =>
    [runtime.target('upstream:search'), runtime.target('upstream:http://search.internal')]
      .map((target) => target.status())
      .find(({ counts }) => counts.success > 0);

  test.each(ways)('%s: calls go to all hosts, and past one that fails', async (_, make) => {
    const ask = asker(make());
    expect(await load(ask, 100)).toBe(1);
    for (const count of hosts.counts) expect(count).toBeGreaterThan(10);
    for (const { host, url } of hosts.seen) {
      expect(hosts.origins).toContain(`http://${host}`);
      expect(url).toBe('/items?q=1');
    }
    hosts.conditions[1] = 'fails';
    await untilOut(ask, () => statusOf()?.hosts?.[1]?.state);
    expect(await load(ask, 300)).toBeGreaterThan(0.99);
    expect(statusOf()?.hosts?.map(({ inFlight }) => inFlight)).toEqual([0, 0, 0, 0]);
  });

  test('a BalancedPool without a key or hosts: its upstreams are the hosts of one target', async () => {
    const pool = healingDispatcher(keep(new BalancedPool(hosts.origins)), { runtime });
    for (let n = 0; n < 20; n++)
      await pool.request({ method: 'GET', path: '/' } as never).then(({ body }) => body.dump());
    const [[name, status] = []] = Object.entries(runtime.status().targets);
    expect(name).toBe(`upstream:${hosts.origins.join('+')}`);
    expect(status?.hosts?.map(({ host }) => host)).toEqual(hosts.origins);
    expect(status?.counts.success).toBe(20);
    expect(status?.hosts?.reduce((sum, { counts }) => sum + counts.success, 0)).toBe(20);
  });

  test('a Pool has one origin: no host is chosen, and none is judged', async () => {
    const dispatcher = healingDispatcher(keep(new Pool(hosts.origins[2] as string)), { runtime, key });
    for (let n = 0; n < 10; n++) expect(await asker(dispatcher)()).toBe(true);
    expect(hosts.counts).toEqual([0, 0, 10, 0]);
    expect(statusOf()?.hosts?.every(({ counts }) => counts.success === 0)).toBe(true);
  });

  test('a repeat goes to another host', async () => {
    hosts.conditions.fill('fails', 0, 3);
    const dispatcher = healingDispatcher(keep(new Agent()), {
      runtime,
      key,
      retry: { maxRetries: 3, budgetPerSecond: 1_000 },
    });
    for (let n = 0; n < 5; n++) expect(await asker(dispatcher)()).toBe(true);
  });
});

test('healingFetch goes to the hosts, with a text, a URL or a Request', async () => {
  const heal = healingFetch(fetch, { runtime });
  const to = 'http://search.internal//a/b?c=d';
  hosts.conditions[3] = 'fails';
  for (let n = 0; n < 30; n++) {
    for (const input of [to, new URL(to), new Request(to, { headers: { 'x-test': '1' } })]) {
      const res = await heal(input);
      expect([res.status, new URL(res.url).pathname]).toEqual([200, '//a/b']);
      await res.text();
    }
  }
  const { counts } = hosts;
  expect(counts[3]).toBeLessThan(Math.max(...counts) / 2);
  for (const { url } of hosts.seen) expect(url).toBe('//a/b?c=d');
});

test('hosts of a dispatcher need a key: they are not for all origins', async () => {
  const { undici } = MAJORS[0] as (typeof MAJORS)[number];
  const agent = keep(new undici.Agent());
  expect(() => healingDispatcher(agent, { runtime, hosts: hosts.origins })).toThrow('key');
  const key = ({ origin }: { origin?: unknown }) => (origin === 'http://x.internal' ? 'x' : undefined);
  const dispatcher = healingDispatcher(agent, { runtime, key, hosts: hosts.origins.slice(0, 2) });
  for (let n = 0; n < 10; n++) {
    await undici.request('http://x.internal/', { dispatcher }).then(({ body }) => body.dump());
    await undici.request(`${hosts.origins[3]}/`, { dispatcher }).then(({ body }) => body.dump());
  }
  expect(hosts.counts[3]).toBe(10);
  expect(hosts.counts[2]).toBe(0);
  expect((hosts.counts[0] as number) + (hosts.counts[1] as number)).toBe(10);
});
