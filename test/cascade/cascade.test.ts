import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHealing, type Healing, type HealingOptions } from '@healix/core';
import { healing as healExpress } from '@healix/express';
import { healing as healFastify } from '@healix/fastify';
import { healingDispatcher, healingFetch } from '@healix/undici';
import express from 'express';
import Fastify from 'fastify';
import { Agent, request } from 'undici';
import { afterEach, describe, expect, it } from 'vitest';

type Leaf = 'well' | 'fails' | 'hangs';
interface Told {
  readonly service: 'edge' | 'middle';
  readonly target: string;
  readonly what: string;
}

const EDGE = 'route:GET /page';
const MIDDLE = 'route:GET /stock';

/** Three services in a row: edge (Express) calls middle (Fastify), which calls a leaf that fails on demand. */
class Cascade {
  leaf: Leaf = 'well';
  readonly told: Told[] = [];
  readonly edge: Healing;
  readonly middle: Healing;
  leafName = '';
  middleName = '';
  #origin = '';
  readonly #ends: (() => unknown)[] = [];

  constructor(rootCause: boolean) {
    this.edge = this.#runtime('edge', rootCause);
    this.middle = this.#runtime('middle', rootCause);
  }

  #runtime(service: Told['service'], rootCause: boolean): Healing {
    const options: HealingOptions = {
      shared: false,
      deadlineHeader: { trust: true },
      defaults: { recovery: { rootCause, proveMs: 300, escalateAfterMs: 900, calmMs: 500 } },
      targets: { [EDGE]: { deadlineMs: 400 } },
    };
    const runtime = createHealing(options);
    runtime.on('transition', ({ target, to }) => this.told.push({ service, target, what: to }));
    runtime.on('recovered', ({ target }) => this.told.push({ service, target, what: 'recovered' }));
    this.#ends.push(() => runtime.close());
    return runtime;
  }

  async start(): Promise<this> {
    const leaf = await this.#listen(createServer((_req, res) => this.#answer(res)));
    const fetchLeaf = healingFetch(fetch, { runtime: this.middle });
    const middle = Fastify();
    await middle.register(healFastify, { runtime: this.middle });
    middle.get('/stock', async (_request, reply) => {
      const { status } = await fetchLeaf(`${leaf}/leaf`);
      return reply.code(status < 500 ? 200 : 502).send('stock');
    });
    const middleAt = await middle.listen({ port: 0, host: '127.0.0.1' });
    const agent = new Agent();
    const dispatcher = healingDispatcher(agent, { runtime: this.edge });
    const edge = express().set('env', 'test');
    edge.use(healExpress({ runtime: this.edge, deadlineAnswer: true }));
    edge.get('/page', async (_req, res) => {
      const { statusCode, body } = await request(`${middleAt}/stock`, { dispatcher });
      await body.dump();
      res.status(statusCode < 500 ? 200 : 502).end('page');
    });
    this.#origin = await this.#listen(createServer(edge));
    this.leafName = `upstream:${leaf}`;
    this.middleName = `upstream:${middleAt}`;
    this.#ends.push(
      () => agent.destroy(),
      () => (middle.server as Server).closeAllConnections(),
      () => middle.close(),
    );
    return this;
  }

  async end(): Promise<void> {
    for (const end of this.#ends.reverse()) await end();
  }

  /** Has people ask for the page until `enough` says so. */
  async drive(enough: () => boolean, what: string): Promise<void> {
    const until = performance.now() + 15_000;
    while (!enough()) {
      if (performance.now() > until) throw new Error(`it never came true: ${what}`);
      const answers = Array.from({ length: 4 }, async () => (await fetch(`${this.#origin}/page`)).text());
      await Promise.all(answers);
      await sleep(10);
    }
  }

  moves(target: string): string[] {
    return this.told.filter((told) => told.target === target).map(({ what }) => what);
  }

  #answer(res: ServerResponse): void {
    if (this.leaf !== 'hangs') res.writeHead(this.leaf === 'well' ? 200 : 500).end('leaf');
  }

  async #listen(server: Server): Promise<string> {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#ends.push(
      () => server.close(),
      () => server.closeAllConnections(),
    );
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
}

const cascades: Cascade[] = [];
async function begin(rootCause = true): Promise<Cascade> {
  const cascade = await new Cascade(rootCause).start();
  cascades.push(cascade);
  const from = performance.now();
  await cascade.drive(() => performance.now() - from > 300, 'a calm start');
  return cascade;
}
afterEach(async () => {
  for (const cascade of cascades.splice(0)) await cascade.end();
});

const incidentOf = (runtime: Healing, target: string) => runtime.incidents({ target })[0];

describe.each<Leaf>(['fails', 'hangs'])('when the leaf of a cascade of three %s', (leaf) => {
  it('its caller alone opens; routes stay closed and name what is behind', { timeout: 60_000 }, async () => {
    const cascade = await begin();
    const { edge, middle, leafName, middleName } = cascade;
    cascade.leaf = leaf;
    await cascade.drive(
      () =>
        incidentOf(edge, EDGE)?.rootCause === middleName &&
        incidentOf(middle, MIDDLE)?.rootCause === leafName,
      'both routes name their upstream',
    );
    const from = performance.now();
    await cascade.drive(() => performance.now() - from > 2_500, 'time to escalate');
    expect(cascade.moves(leafName)).toContain('open');
    for (const [runtime, route] of [
      [edge, EDGE],
      [middle, MIDDLE],
    ] as const) {
      expect(cascade.moves(route)).toEqual([]);
      expect(incidentOf(runtime, route)).toMatchObject({ status: 'open', level: 0, endedAt: undefined });
      expect(incidentOf(runtime, route)?.timeline.map(({ what }) => what)).not.toContain('gave-up');
      expect(runtime.target(route).status().reasons.join()).toContain('because of upstream:');
    }

    cascade.leaf = 'well';
    const mended = performance.now();
    const target = edge.target(EDGE);
    let before = target.status().counts.success;
    let well = 0;
    let lastFailure = 0;
    await cascade.drive(() => {
      const { success, failure } = target.status().counts;
      well = success - before >= 4 && failure === lastFailure ? well + 1 : 0;
      before = success;
      lastFailure = failure;
      return well >= 5;
    }, 'the page is back');
    // Two circuits, one behind the other, that were open for 2 s at most, and let traffic in over 1 s.
    expect(performance.now() - mended).toBeLessThan(8_000);
    const open = () =>
      [...edge.incidents(), ...middle.incidents()].filter(({ endedAt }) => endedAt === undefined);
    await cascade.drive(() => open().length === 0, 'all incidents end');
    const ended = (told: string) =>
      cascade.told.findLastIndex(({ target, what }) => target === told && what === 'recovered');
    expect(ended(leafName)).toBeLessThan(ended(MIDDLE));
    expect(cascade.moves(MIDDLE)).toEqual(['recovered']);
    expect(cascade.moves(EDGE)).toEqual(['recovered']);
  });
});

it('without root causes the routes open as well', { timeout: 60_000 }, async () => {
  const cascade = await begin(false);
  cascade.leaf = 'fails';
  await cascade.drive(() => cascade.moves(MIDDLE).includes('open'), 'the middle opens');
  expect(incidentOf(cascade.middle, MIDDLE)?.rootCause).toBeUndefined();
});

it('a route that fails by itself opens, whatever it calls', { timeout: 60_000 }, async () => {
  const cascade = await begin();
  const route = cascade.middle.target('route:GET /broken');
  for (let i = 0; i < 50 && route.state === 'closed'; i++) {
    const permit = route.acquire();
    if (permit.ok) route.release(permit, 'failure');
  }
  expect(route.state).toBe('open');
});
