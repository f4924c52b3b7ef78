import { once } from 'node:events';
import { request as httpRequest, ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { ConfigError, createHealing, type Healing } from '@healix/core';
import { SteadyClock } from '@healix/core/testing';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, expect, test } from 'vitest';
import { type HealingOptions, healing, healthEndpoint } from './index.ts';

let app: FastifyInstance;
let runtime: Healing;
let base: string;

async function serve(routes: (app: FastifyInstance) => void, options: HealingOptions = {}): Promise<void> {
  runtime = createHealing({ shared: false, clock: new SteadyClock() });
  app = Fastify();
  await app.register(healing, { runtime, ...options });
  routes(app);
  base = await app.listen({ port: 0 });
}

afterEach(async () => {
  await app.close();
  await runtime.close();
});

const counts = (name: string) => runtime.target(name).status().counts;

test('books what requests came to under the pattern of their route', async () => {
  await serve((app) => {
    app.get('/users/:id', async () => 'ok');
    app.get('/fails', async () => {
      throw new Error('no');
    });
    app.get('/bad', async (_, reply) => reply.code(400).send('bad'));
  });
  for (const path of ['/users/1', '/users/2', '/fails', '/bad', '/nowhere']) await fetch(base + path);
  await fetch(`${base}/users/3`, { method: 'HEAD' });
  expect(counts('route:GET /users/:id')).toMatchObject({ success: 3, failure: 0 });
  expect(counts('route:GET /fails')).toMatchObject({ failure: 1 });
  expect(counts('route:GET /bad')).toMatchObject({ success: 1 });
  expect(counts('route:unmatched')).toMatchObject({ success: 1 });
});

test('refuses with problem+json while the circuit is open', async () => {
  await serve((app) => {
    app.post('/orders', async () => 'ok');
  });
  await runtime.target('route:POST /orders').force('open');
  const answer = await fetch(`${base}/orders`, { method: 'POST', body: 'x'.repeat(1000) });
  expect(answer.status).toBe(503);
  expect(answer.headers.get('content-type')).toMatch('application/problem+json');
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(answer.headers.get('connection')).toBe('close');
  expect(await answer.json()).toMatchObject({
    status: 503,
    target: 'route:POST /orders',
    reason: 'circuit-open',
  });
});

test('a late handler is answered for, told, and does no harm when it sends', async () => {
  let reason: unknown;
  await serve((app) => {
    app.get('/slow', { config: { healing: { deadlineMs: 40 } } }, async (request) => {
      request.healing.signal.addEventListener('abort', () => {
        reason = request.healing.signal.reason;
      });
      await new Promise((resolve) => setTimeout(resolve, 120));
      return 'late';
    });
  });
  const answer = await fetch(`${base}/slow`);
  expect(answer.status).toBe(504);
  expect(await answer.json()).toMatchObject({ reason: 'deadline' });
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(reason).toMatchObject({ code: 'HEALIX_DEADLINE' });
  expect(counts('route:GET /slow')).toMatchObject({ failure: 1 });
});

test('a hijacked reply is no longer in flight', async () => {
  let held: (() => void) | undefined;
  await serve((app) => {
    app.get('/raw', (_request, reply) => {
      reply.hijack();
      held = () => reply.raw.end('done');
    });
  });
  const answer = fetch(`${base}/raw`);
  await expect.poll(() => held).toBeDefined();
  expect(runtime.target('route:GET /raw').status().inFlight).toBe(0);
  held?.();
  expect(await (await answer).text()).toBe('done');
  expect(counts('route:GET /raw')).toMatchObject({ success: 1 });
});

test('health answers whatever is shed, and is no target', async () => {
  await serve(
    (app) => {
      app.register(healthEndpoint, { prefix: '/health', runtime });
      app.get('/x', async () => 'x');
    },
    { policy: { deny: 'closed today' } },
  );
  expect((await fetch(`${base}/x`)).status).toBe(403);
  const health = await fetch(`${base}/health`);
  expect(health.status).toBe(200);
  expect(Object.keys((await health.json()) as object)).toEqual(['status', 'reasons']);
  expect((await fetch(`${base}/health/live`)).status).toBe(200);
  expect(await (await fetch(`${base}/health/metrics`)).text()).toMatch('healix_calls_total');
  expect((await fetch(`${base}/health/ready`)).status).toBe(200);
  await runtime.close();
  expect((await fetch(`${base}/health/ready`)).status).toBe(503);
  expect(Object.keys(runtime.status().targets)).toEqual(['route:GET /x']);
});

test('registered twice, it still asks for one permit', async () => {
  await serve(async (app) => {
    app.register(async (scope) => {
      await scope.register(healing, { runtime });
      scope.get('/in', async () => 'in');
    });
  });
  await fetch(`${base}/in`);
  expect(counts('route:GET /in')).toMatchObject({ success: 1 });
  expect(runtime.status().coverage.doubleMounts).toBe(1);
});

test('counts injected requests as it does real ones', async () => {
  await serve((app) => {
    app.get('/a', async () => 'a');
    app.get('/fails', async () => {
      throw new Error('no');
    });
  });
  await app.inject('/a');
  await app.inject('/fails');
  expect(counts('route:GET /a')).toMatchObject({ success: 1, failure: 0 });
  expect(counts('route:GET /fails')).toMatchObject({ success: 0, failure: 1 });
});

test('a stream that the handler’s source breaks off is a failure', async () => {
  await serve((app) => {
    app.get('/stream', (_, reply) => {
      const source = new PassThrough();
      source.write('begun');
      setTimeout(() => source.destroy(new Error('source')), 20);
      return reply.send(source);
    });
  });
  await expect(fetch(`${base}/stream`).then((answer) => answer.text())).rejects.toThrow();
  await expect.poll(() => counts('route:GET /stream')).toMatchObject({ failure: 1, ignored: 0 });
});

test('a refusal is not written by the serializer that an earlier hook set', async () => {
  runtime = createHealing({ shared: false, clock: new SteadyClock() });
  app = Fastify();
  app.addHook('onRequest', async (_, reply) => {
    reply.serializer(() => 'mine');
  });
  await app.register(healing, { runtime, policy: { deny: 'closed today' } });
  app.get('/x', async () => ({}));
  const answer = await fetch(`${await app.listen({ port: 0 })}/x`);
  expect(answer.status).toBe(403);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(await answer.json()).toMatchObject({ reason: 'policy', detail: 'closed today' });
});

test('a refused upgrade ends its connection', async () => {
  await serve((app) => app.get('/x', async () => 'x'), { policy: { deny: 'closed today' } });
  const headers = { connection: 'upgrade', upgrade: 'websocket' };
  const answer = await new Promise<{ statusCode?: number | undefined; headers: object }>(
    (resolve, reject) => {
      httpRequest(`${base}/x`, { headers }, (res) => resolve(res.resume()))
        .on('error', reject)
        .end();
    },
  );
  expect(answer.statusCode).toBe(403);
  expect(answer.headers).toMatchObject({ connection: 'close' });
});

test('a WebSocket that is routed as @fastify/websocket does it: no slot, no slow call, no failure', async () => {
  await serve(
    (app) => {
      app.server.on('upgrade', (req, socket) => {
        const res = new ServerResponse(req);
        res.assignSocket(socket as Socket);
        socket.on('end', () => socket.end()).resume();
        app.routing(req, res);
      });
      app.get('/chat', (request, reply) => {
        reply.hijack();
        request.raw.socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nhello');
      });
    },
    { timeoutMs: 600, deadlineMs: 600, circuit: { slowCallMs: 600 }, policy: { concurrency: 1 } },
  );
  const clients = [];
  for (let i = 0; i < 3; i++) {
    const client = connect(Number(new URL(base).port), '127.0.0.1');
    client.write('GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await once(client, 'data');
    clients.push(client);
  }
  await new Promise((resolve) => setTimeout(resolve, 800));
  for (const client of clients) client.destroy();
  await expect
    .poll(() => counts('route:GET /chat'))
    .toMatchObject({ success: 3, slow: 0, failure: 0, ignored: 0, refused: 0 });
  expect(runtime.target('route:GET /chat').status().inFlight).toBe(0);
});

test('health takes Fastify’s own options and healing’s, and no others', async () => {
  await serve(() => {});
  const scope = () => Fastify();
  const logSerializers = {};
  await scope().register(healthEndpoint, { prefix: '/h', logLevel: 'error', logSerializers, runtime });
  for (const wrong of [{ detail: true }, { deadlinMs: 5 }, { details: 1 }]) {
    const register = async () => {
      await scope().register(healthEndpoint, { prefix: '/h', runtime, ...wrong } as never);
    };
    await expect(register()).rejects.toThrow(ConfigError);
  }
});

test('a client that left while a hook before healing took its time keeps no place', async () => {
  runtime = createHealing({ shared: false, clock: new SteadyClock() });
  app = Fastify();
  let left: (() => void) | undefined;
  app.addHook('onRequest', async ({ raw }) => {
    if (raw.headers['x-leave']) await new Promise((resolve) => raw.socket.once('close', resolve));
  });
  app.addHook('onRequest', async ({ raw }) => {
    if (raw.headers['x-leave']) left?.();
  });
  await app.register(healing, { runtime, policy: { concurrency: 2 } });
  app.post('/x', async () => 'x');
  base = await app.listen({ port: 0 });
  for (let i = 0; i < 3; i++) {
    const gone = new Promise<void>((resolve) => {
      left = resolve;
    });
    const client = connect(Number(new URL(base).port), '127.0.0.1');
    const head =
      'POST /x HTTP/1.1\r\nHost: a\r\nX-Leave: yes\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nx';
    client.write(head, () => client.destroy());
    await gone;
  }
  expect((await fetch(`${base}/x`, { method: 'POST', body: 'x' })).status).toBe(200);
  await expect.poll(() => runtime.target('route:POST /x').status().inFlight).toBe(0);
});

test('a probe is judged by the head of its answer, however long the rest takes', async () => {
  const circuit = { openMs: 100, probes: 1, probeTimeoutMs: 200, rampMs: 0 };
  let rest: PassThrough | undefined;
  await serve(
    (app) => {
      app.get('/long', (_, reply) => {
        rest = new PassThrough();
        rest.write('begun');
        return reply.send(rest);
      });
    },
    { circuit },
  );
  const target = runtime.target('route:GET /long', { circuit });
  await target.force('open');
  await target.force(null);
  const answer = await fetch(`${base}/long`);
  expect(answer.status).toBe(200);
  await expect.poll(() => target.state).toBe('closed');
  rest?.end();
  await answer.text();
});

test('settings of a route that are at odds with the others are told of, and left out', async () => {
  runtime = createHealing({ shared: false, targets: { 'route:GET /x': { circuit: { windowCalls: 10 } } } });
  app = Fastify();
  await app.register(healing, { runtime });
  app.get('/x', { config: { healing: { circuit: { minimumCalls: 50 } } } }, async () => 'x');
  base = await app.listen({ port: 0 });
  for (let i = 0; i < 2; i++) expect((await fetch(`${base}/x`)).status).toBe(200);
  expect(counts('route:GET /x')).toMatchObject({ success: 2 });
});

test('routes that only a constraint tells apart are targets of their own', async () => {
  await serve((app) => {
    const quick = { config: { healing: { deadlineMs: 1_000 } }, constraints: { version: '1.0.0' } };
    app.get('/v', quick, async () => 'one');
    app.get('/v', { constraints: { version: '2.0.0' } }, async () => 'two');
  });
  for (const version of ['1.0.0', '2.0.0']) {
    expect((await fetch(`${base}/v`, { headers: { 'accept-version': version } })).status).toBe(200);
    expect(counts(`route:GET /v (version ${version})`)).toMatchObject({ success: 1 });
  }
  expect(runtime.target('route:GET /v (version 1.0.0)').settings.deadlineMs).toBe(1_000);
  expect(runtime.target('route:GET /v (version 2.0.0)').settings.deadlineMs).toBeUndefined();
});

test.each([
  ['HEAD', 'GET'],
  ['GET', 'HEAD'],
])('what stands beside the GET route holds for both, whether %s or %s is asked first', async (...methods) => {
  await serve((app) => {
    for (const constraints of [{}, { version: '1.0.0' }]) {
      const of = (deadlineMs: number) => ({ config: { healing: { deadlineMs } }, constraints });
      app.head('/both', of(1_000), async () => '');
      app.get('/both', of(2_000), async () => 'both');
      app.head('/bare', of(1_000), async () => '');
      app.get('/bare', { constraints }, async () => 'bare');
      app.head('/alone', of(1_000), async () => '');
    }
  });
  const headers: Record<string, string>[] = [{}, { 'accept-version': '1.0.0' }];
  for (const method of methods) {
    for (const path of ['both', 'bare', 'alone']) {
      for (const given of headers) await fetch(`${base}/${path}`, { method, headers: given });
    }
  }
  const deadlineOf = (name: string) => runtime.target(`route:GET ${name}`).settings.deadlineMs;
  for (const constraint of ['', ' (version 1.0.0)']) {
    expect(deadlineOf(`/both${constraint}`)).toBe(2_000);
    expect(deadlineOf(`/bare${constraint}`)).toBeUndefined();
    expect(deadlineOf(`/alone${constraint}`)).toBe(1_000);
  }
});

test.each(['bogus', null, undefined])(
  'a classifier that says %s, no outcome, costs no place and changes nothing',
  async (said) => {
    const classify = () => said as never;
    await serve(
      (app) => {
        app.get('/ok', async () => 'ok');
        app.get('/fails', async () => {
          throw new Error('no');
        });
      },
      { classify },
    );
    expect((await fetch(`${base}/ok`)).status).toBe(200);
    expect((await fetch(`${base}/fails`)).status).toBe(500);
    expect(counts('route:GET /ok')).toMatchObject({ success: 1, failure: 0 });
    expect(counts('route:GET /fails')).toMatchObject({ success: 0, failure: 1 });
    expect(runtime.target('route:GET /ok').status().inFlight).toBe(0);
    expect(runtime.status().callbackErrors).toMatchObject([{ count: 1 }, { count: 1 }]);
  },
);
