import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createSelfHealing, registerTier } from '@healix/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MAJORS, until, useLab } from './lab.ts';

registerTier('above-basic', (parts) => createSelfHealing('basic', parts));

describe.each(MAJORS)('undici $major, $through: connections are made anew', ({ undici, through }) => {
  const lab = useLab(through);
  const connected = () => lab.keep(new undici.Agent({ connections: 3, keepAliveTimeout: 60_000 }));

  it('behind the answers that they carry; what is under way goes on', async () => {
    const dispatcher = lab.healed(connected());
    const get = async (steps: string, query = '') => {
      const { statusCode, body } = await undici.request(lab.url(steps, query), { dispatcher });
      await body.text();
      return statusCode;
    };
    const all = (steps: string, query = '') => Promise.all([1, 2, 3].map(() => get(steps, query)));
    expect(await all('slow-headers', 'ms=30&')).toEqual([200, 200, 200]);
    const { closed } = lab.server;
    const { connections, time } = lab.runtime.target(`upstream:${lab.server.origin}`);

    const underWay = get('slow-body', 'ms=100&');
    connections.renew(time.clock.now());
    expect(await Promise.all([get('slow-headers', 'ms=30&'), get('slow-headers', 'ms=30&')])).toEqual([
      200, 200,
    ]);
    expect(await underWay).toBe(200);
    await until(() => lab.server.closed === closed + 2);
    expect(await all('slow-headers', 'ms=30&')).toEqual([200, 200, 200]);
    await until(() => lab.server.closed === closed + 5);

    connections.keep();
    for (let i = 0; i < 5; i++) expect(await get('ok')).toBe(200);
    expect(lab.server.closed).toBe(closed + 5);
  });

  it('of other origins are kept', async () => {
    const agent = connected();
    let ended = 0;
    agent.on('disconnect', () => ended++);
    const dispatcher = lab.healed(agent);
    lab.runtime.target('upstream:http://elsewhere.example').connections.renew(Number.MAX_VALUE / 2);
    for (let i = 0; i < 3; i++) {
      const { body } = await undici.request(lab.url('ok'), { dispatcher });
      await body.text();
    }
    expect(ended).toBe(0);
  });
});

/** A balancer whose first connections all lead to a bad host. */
async function badFirst(connections: number): Promise<Server> {
  const bad = new WeakSet<Socket>();
  let seen = 0;
  const server = createServer((req, res) => {
    res.writeHead(bad.has(req.socket) ? 500 : 200).end('x');
  });
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket) => {
    if (seen++ < connections) bad.add(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.closeAllConnections());
  onTestFinished(() => void server.close());
  return server;
}

describe('a bad host behind kept connections', () => {
  const lab = useLab();
  const { undici } = MAJORS[0] as (typeof MAJORS)[0];

  it('is left by the reset, which is verified and undone', { timeout: 20_000 }, async () => {
    const server = await badFirst(2);
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    lab.restart({
      defaults: {
        tier: 'above-basic',
        circuit: { openMs: 100, maxOpenMs: 100, rampMs: 0 },
        recovery: { proveMs: 10, calmMs: 500 },
      },
    });
    const dispatcher = lab.healed(lab.keep(new undici.Agent({ connections: 2, keepAliveTimeout: 60_000 })), {
      retry: { maxRetries: 0 },
    });
    const ask = async () => {
      const { body } = await undici.request(origin, { dispatcher });
      await body.text();
    };
    let stopped = false;
    const load = (async () => {
      while (!stopped) {
        await Promise.all([ask(), ask()].map((asked) => asked.catch(() => {})));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    await until(() => lab.runtime.incidents({ status: 'recovered' }).length === 1, 15_000);
    stopped = true;
    await load;
    const story = lab.runtime
      .incidents()[0]
      ?.timeline.filter(({ strategy }) => strategy === 'reset')
      .map(({ what }) => what);
    expect(story?.at(0)).toBe('responded');
    expect(story?.slice(-2)).toEqual(['verified', 'undone']);
    const { connections, time } = lab.runtime.target(`upstream:${origin}`);
    expect(connections.isRenewing(time.clock.now())).toBe(false);
  });
});
