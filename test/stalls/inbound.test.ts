import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../conformance/harness/wait.ts';
import { PATIENCE_MS, STALLS, Stallable } from './stallable.ts';
import { Upstream } from './upstream.ts';

interface Told {
  readonly state: string;
  readonly success: number;
  readonly failure: number;
  readonly ignored: number;
  readonly slow: number;
  readonly inFlight: number;
}

/** As many failures in a row open a circuit, and as many slow requests are enough for a rate of them. */
const EACH = 5;
const SERVICES = ['fastify', 'koa', 'express'].flatMap((name) => STALLS.map((stall) => ({ name, stall })));

describe.each(SERVICES)('requests to $name across $stall', ({ name, stall }) => {
  let upstream: Upstream;
  let service: Stallable;
  const statuses: Record<string, number[]> = {};
  const target = (path: string) => service.tell<Told>('target', path);

  /** Starts a service that has been calm, and asks it what its upstream holds; undefined if it is not calm any more. */
  async function begin() {
    upstream = await new Upstream().listen();
    const program = new URL('./programs/service.ts', import.meta.url);
    service = await Stallable.start(program, name, upstream.origin);
    const origin = await service.tell<string>('origin');
    const ask = async (path: string, signal?: AbortSignal) => {
      const response = await fetch(origin + path, { ...(signal && { signal }) });
      await response.text();
      return response.status;
    };
    const askAll = (path: string, count: number) =>
      Promise.all(Array.from({ length: count }, () => ask(path)));

    upstream.always(200);
    await askAll('/limited', EACH);
    upstream.always(undefined);
    const stalls = await service.tell<number>('calm');
    await service.tell('halfOpen', '/probed');
    const leave = new AbortController();
    const abandoned = Array.from({ length: EACH }, () => ask('/abandoned', leave.signal));
    const asked = Promise.all(['/limited', '/measured'].map((path) => askAll(path, EACH)));
    const probe = askAll('/probed', 1);
    await upstream.holds(3 * EACH + 1);
    const begun = { askAll, leave, abandoned, asked, probe };
    return (await service.tell('stalls')) === stalls ? begun : end(begun);
  }

  function end({
    asked,
    probe,
    abandoned,
  }: Record<'asked' | 'probe', Promise<unknown>> & { abandoned: unknown[] }) {
    service.kill();
    upstream.close();
    void Promise.allSettled([asked, probe, ...abandoned]);
    return undefined;
  }

  beforeAll(async () => {
    let begun = await begin();
    while (begun === undefined) begun = await begin();
    const { askAll, leave, abandoned, asked, probe } = begun;
    let fresh: Promise<number[]> | undefined;
    await service.stall(stall, async () => {
      leave.abort();
      await Promise.allSettled(abandoned);
      await upstream.answer('/abandoned');
      upstream.always(200);
      fresh = askAll('/limited', EACH);
    });
    [statuses.limited, statuses.measured] = (await asked) as [number[], number[]];
    [statuses.probed, statuses.fresh] = await Promise.all([probe, fresh as Promise<number[]>]);
    await until('all requests to be over', async () => (await target('/abandoned')).inFlight === 0);
  }, PATIENCE_MS);
  afterAll(() => {
    service.kill();
    upstream.close();
  });

  test('are answered by their handlers, although their deadline is over', async () => {
    expect(statuses.limited).toEqual(Array(EACH).fill(200));
    expect(await target('/limited')).toMatchObject({ state: 'closed', failure: 0, inFlight: 0 });
  });

  test('are not slow', async () => {
    expect(statuses.measured).toEqual(Array(EACH).fill(200));
    expect(await target('/measured')).toMatchObject({ state: 'closed', ignored: EACH, slow: 0, failure: 0 });
  });

  test('do not fail because their clients gave up', async () => {
    expect(await target('/abandoned')).toMatchObject({ state: 'closed', ignored: EACH, failure: 0 });
  });

  test('close a circuit as its probe, although that took longer than its lease', async () => {
    expect(statuses.probed).toEqual([200]);
    expect(await target('/probed')).toMatchObject({ state: 'closed', success: 1 });
  });

  test('that came meanwhile have all of their time', () => {
    expect(statuses.fresh).toEqual(Array(EACH).fill(200));
  });

  test('are no incident', async () => {
    expect(await service.tell('stalls')).toBeGreaterThan(0);
    expect(await service.tell('incidents')).toBe(0);
  });
});
