import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHealing, type Healing, type HealingOptions, isHealixError } from '@healix/core';
import { Inbound, type RawRequest, type RawResponse } from '@healix/core/adapter';
import { SteadyClock } from '@healix/core/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CLIENTS, type Client } from './clients.ts';
import { FaultyServer } from './faulty-server.ts';

const NAME = 'x-left-ms';
const SENDING = { deadlineHeader: { name: NAME, trust: true } };

const seen: IncomingHttpHeaders[] = [];
const upstream = new FaultyServer();
/** Keeps the headers of what is asked; every second answer is a 503. */
const recorder = createServer((req, res) => {
  seen.push(req.headers);
  req.resume();
  res.writeHead(req.url?.startsWith('/fails') && seen.length === 1 ? 503 : 200).end('x');
});
let origin = '';

beforeAll(async () => {
  await upstream.listen();
  await new Promise<void>((resolve) => recorder.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(recorder.address() as AddressInfo).port}`;
});
afterAll(async () => {
  recorder.closeAllConnections();
  recorder.close();
  await upstream.close();
});

describe.each(CLIENTS)('$name', (kind) => {
  let runtime: Healing;
  let client: Client;

  afterEach(async () => {
    seen.length = 0;
    await client.close();
    await runtime.close();
  });

  function begin(options: HealingOptions = SENDING) {
    runtime = createHealing({
      shared: false,
      clock: new SteadyClock(),
      defaults: { retry: { baseDelayMs: 5, budgetPerSecond: 1_000 } },
      ...options,
    });
    client = kind.make(runtime);
  }

  /** Has `handler` answer one request that has so much time left. */
  async function asked(leftMs: string, handler: () => Promise<unknown>): Promise<unknown> {
    const inbound = new Inbound(runtime, { refuse: () => {}, answerLate: () => {} });
    const server = createServer((req, res) => {
      inbound.admit(req as RawRequest, res as RawResponse, inbound.routes.get('route:GET /'), undefined);
      inbound.enter(
        req,
        () =>
          void handler()
            .then(resolve, resolve)
            .then(() => res.end()),
      );
    });
    let resolve: (value: unknown) => void = () => {};
    const result = new Promise((done) => {
      resolve = done;
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    await fetch(`http://127.0.0.1:${port}`, { headers: { [NAME]: leftMs } });
    server.closeAllConnections();
    server.close();
    return result;
  }

  const left = (headers: IncomingHttpHeaders | undefined) => Number(headers?.[NAME]);

  it('is cut off when its request is out of time', async () => {
    begin();
    const begun = performance.now();
    const error = await asked('150', () => client.ask(`${upstream.origin}/hang`));
    expect(isHealixError(error, 'HEALIX_DEADLINE')).toBe(true);
    expect(performance.now() - begun).toBeLessThan(2_000);
  });

  it('tells the other side how long it waits, less at each hop', async () => {
    begin();
    await asked('700', async () => {
      await new Promise((done) => setTimeout(done, 60));
      return client.ask(`${origin}/ok`, { headers: { accept: 'text/plain', 'X-LEFT-MS': '9999' } });
    });
    expect(left(seen[0])).toBeGreaterThan(0);
    expect(left(seen[0])).toBeLessThanOrEqual(660);
    expect(seen[0]?.accept).toBe('text/plain');
  });

  it('tells its own limit where that is shorter, outside of requests too', async () => {
    begin();
    runtime.target(`upstream:${origin}`).update({ timeoutMs: 200 });
    await asked('5000', () => client.ask(`${origin}/ok`));
    await client.ask(`${origin}/ok`);
    expect(seen.map(left)).toEqual([expect.any(Number), expect.any(Number)]);
    for (const headers of seen) expect(left(headers)).toBeLessThanOrEqual(200);
  });

  it.runIf(kind.repeats)('tells each attempt what is left by then', async () => {
    begin();
    runtime.target(`upstream:${origin}`).update({ retry: { baseDelayMs: 0 }, deadlineMs: 900 });
    await client.ask(`${origin}/fails`);
    expect(seen).toHaveLength(2);
    expect(left(seen[1])).toBeLessThanOrEqual(left(seen[0]));
  });

  it('tells how much the call matters: as it, its target or its request says', async () => {
    begin({ ...SENDING, priorityHeader: { name: 'x-matters', trust: true } });
    await client.ask(`${origin}/ok`);
    await runtime.with({ priority: 'low' }, () => client.ask(`${origin}/ok`));
    runtime.target(`upstream:${origin}`).update({ priority: 'high' });
    await client.ask(`${origin}/ok`);
    expect(seen.map((headers) => headers['x-matters'])).toEqual([undefined, 'low', 'high']);
  });

  it.runIf(kind.options)('takes a priority beside the request', async () => {
    begin({ ...SENDING, priorityHeader: { name: 'x-matters', send: true } });
    await client.ask(`${origin}/ok`, { healing: { priority: 'critical' } });
    expect(seen[0]?.['x-matters']).toBe('critical');
    await expect(client.ask(`${origin}/ok`, { healing: { priority: 'urgent' as never } })).rejects.toSatisfy(
      (error) => isHealixError(error, 'HEALIX_CONFIG'),
    );
  });

  it.each([
    ['it is not trusted', { deadlineHeader: { name: NAME } }],
    ['it is not to be sent', { deadlineHeader: { name: NAME, trust: true, send: false } }],
    ['the upstream is not to be told', { ...SENDING, defaults: { propagate: false } }],
    ['in observe mode', { ...SENDING, mode: 'observe' as const }],
  ])('tells nothing where %s', async (_where, options) => {
    begin(options);
    await client.ask(`${origin}/ok`, { headers: { accept: 'text/plain' } });
    expect(seen[0]).not.toHaveProperty(NAME);
    expect(seen[0]?.accept).toBe('text/plain');
  });
});
