import { once } from 'node:events';
import { createServer, ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { heal, healing, healthEndpoint } from '@healix/express';
import type { RequestHandler } from 'express';
import { afterEach, describe, expect, test } from 'vitest';
import { QUICK } from '../harness/circuits.ts';
import { RawClient, wire } from '../harness/raw-client.ts';
import { pause, until } from '../harness/wait.ts';
import { HealedApp, VERSIONS } from './app.ts';

const ok: RequestHandler = (_req, res) => {
  res.send('ok');
};

describe.each(VERSIONS)('%s', (_version, module) => {
  let healed: HealedApp;
  afterEach(() => healed.close());

  describe('a handler that is late', () => {
    const DEADLINE_MS = 40;
    /** Does something once it is too late for it. */
    const tooLate =
      (act: RequestHandler): RequestHandler =>
      (req, res, next) =>
        req.healing.signal.addEventListener('abort', () => setTimeout(() => act(req, res, next), 20));
    const late: Record<string, RequestHandler> = {
      'res.send': tooLate((_req, res) => void res.send('late')),
      'res.json after headers and status': tooLate(
        (_req, res) => void res.status(201).set('x-late', '1').json({ late: true }),
      ),
      'res.writeHead and writes': tooLate((_req, res) => {
        res.writeHead(200, { 'x-late': '1' });
        res.write('la');
        res.end('te', () => {});
      }),
      'res.sendFile': tooLate((_req, res, next) =>
        res.sendFile(import.meta.filename, (error) => error && next(error)),
      ),
      'res.redirect': tooLate((_req, res) => res.redirect('/next')),
      'an error': tooLate((_req, _res, next) => next(new Error('late'))),
    };

    test.each(Object.entries(late))(
      'with deadlineAnswer: 504, and %s does no harm',
      async (_what, handler) => {
        healed = new HealedApp(module, { deadlineAnswer: true, deadlineMs: DEADLINE_MS });
        healed.app.get('/late', handler);
        healed.app.get('/next', ok);
        await healed.listen();
        const client = await RawClient.open(Number(new URL(healed.base).port));
        const answer = await client.send(wire('GET', '/late')).answer();
        expect(answer.status).toBe(504);
        expect(answer.json()).toMatchObject({ reason: 'deadline', target: 'route:GET /late' });
        await pause(60);
        // The same connection serves the next request.
        expect((await client.send(wire('GET', '/next')).answer()).body.toString()).toBe('ok');
        expect(client.received.toString()).not.toContain('x-late');
        client.leave();
        await until('it to be a failure', () => {
          expect(healed.runtime.status().targets['route:GET /late']?.counts).toMatchObject({
            failure: 1,
            success: 0,
          });
          return true;
        });
      },
    );

    test('without it the signal aborts, and the handler answers', async () => {
      healed = new HealedApp(module, { deadlineMs: DEADLINE_MS });
      healed.app.get('/late', (req, res) => {
        req.healing.signal.addEventListener('abort', () =>
          res.status(503).send((req.healing.signal.reason as { code: string }).code),
        );
      });
      healed.app.get(
        '/not-told',
        tooLate((_req, res) => void res.send('late')),
      );
      healed.app.get(
        '/mine',
        heal({ deadlineAnswer: true }),
        tooLate((_req, res) => void res.send('late')),
      );
      await healed.listen();
      const answer = await fetch(`${healed.base}/late`);
      expect([answer.status, await answer.text()]).toEqual([503, 'HEALIX_DEADLINE']);
      expect(await healed.ask('/not-told', '/mine')).toEqual([200, 504]);
      await pause(60);
    });
  });

  describe('health', () => {
    test('answers whatever is shed, in a router too, and below a route that takes all; so does a preflight', async () => {
      healed = new HealedApp(module, { policy: { deny: 'closed' } });
      const { app, runtime } = healed;
      const router = module.Router();
      router.use('/health', healthEndpoint({ runtime, details: true }));
      app.use('/health', healthEndpoint({ runtime }));
      app.use('/ops/:env', router);
      app.get('/:slug', ok);
      app.options('/:slug', ok);
      await healed.listen();
      expect(
        await healed.ask('/a', '/b', '/health', '/health/live', '/health/ready', '/health/metrics'),
      ).toEqual([403, 403, 200, 200, 200, 200]);
      expect(await healed.ask('/ops/prod/health/live', '/health/other', 'POST /health')).toEqual([
        200, 403, 403,
      ]);
      const preflight = await fetch(`${healed.base}/a`, {
        method: 'OPTIONS',
        headers: { 'access-control-request-method': 'GET', origin: 'http://a' },
      });
      expect(preflight.status).toBe(200);
      const details = await (await fetch(`${healed.base}/ops/test/health`)).json();
      expect(details).toMatchObject({ targets: expect.anything() });
    });

    test('one that is mounted later, when others have been seen', async () => {
      healed = new HealedApp(module);
      const { app, runtime } = healed;
      app.get('/it', ok);
      await healed.listen();
      await healed.ask('/it');
      app.use('/health', healthEndpoint({ runtime }));
      app.get('/:slug', ok);
      await healed.ask('/a');
      await runtime.target('route:GET /:slug').force('open');
      expect(await healed.ask('/a', '/health')).toEqual([503, 200]);
    });
  });

  test('thrown 4xx and bad JSON never open a circuit', async () => {
    healed = new HealedApp(module, {}, { defaults: { circuit: QUICK } });
    const { app } = healed;
    app.use(module.json());
    app.post('/it', ok);
    app.get('/missing/:id', (_req, _res, next) => next(Object.assign(new Error('none'), { status: 404 })));
    await healed.listen();
    const headers = { 'content-type': 'application/json' };
    for (let i = 0; i < 10; i++) {
      expect((await fetch(`${healed.base}/it`, { method: 'POST', headers, body: '{' })).status).toBe(400);
      expect(await healed.ask(`/missing/${i}`)).toEqual([404]);
    }
    await until(
      'all to be booked',
      () => healed.runtime.status().targets['route:POST /it']?.counts.success === 10,
    );
    expect(healed.runtime.target('route:POST /it').state).toBe('closed');
  });

  test('a probe whose name was wrong, and one whose client leaves, give their place back', async () => {
    healed = new HealedApp(module, {}, { defaults: { circuit: QUICK } });
    const { app, runtime } = healed;
    let fails = true;
    let hangs = false;
    app.get('/it/:id', (req, res, next) => {
      if (req.params.id === 'other') next('route');
      else if (!hangs) res.sendStatus(fails ? 500 : 200);
    });
    app.get('/it/:other', ok);
    await healed.listen();
    const { base } = healed;
    await until('the circuit to open', async () => {
      await healed.ask('/it/1');
      return runtime.target('route:GET /it/:id').state === 'open';
    });
    fails = false;
    const halfOpen = () =>
      until('it to be half-open', () => runtime.target('route:GET /it/:id').state === 'half-open');
    await halfOpen();
    // Foretold as `/it/:id`, taken by another.
    expect(await healed.ask('/it/other')).toEqual([200]);
    hangs = true;
    await halfOpen();
    const socket = connect(Number(new URL(base).port), '127.0.0.1');
    await once(socket, 'connect');
    socket.write(wire('GET', '/it/2'));
    await pause(30);
    socket.destroy();
    hangs = false;
    await until('it to close again', async () => {
      await healed.ask('/it/3');
      return runtime.target('route:GET /it/:id').state === 'closed';
    });
    expect(runtime.target('route:GET /it/:id').status().inFlight).toBe(0);
  });

  test('healing in app and sub-app, and heal below it: one permit', async () => {
    healed = new HealedApp(module);
    const inner = module();
    inner.use(healing(healed.runtime));
    inner.get('/it/:id', heal({ policy: { concurrency: 5 } }), ok);
    healed.app.use('/sub', inner);
    await healed.listen();
    await healed.ask('/sub/it/1', '/sub/it/2', '/sub/it/3');
    await healed.booked({ 'GET /sub/it/:id': 3 });
    expect(healed.runtime.status().coverage.doubleMounts).toBe(3);
    expect(healed.runtime.target('route:GET /sub/it/:id').settings.policy.concurrency).toBe(5);
  });

  test('heal without healing: admits by itself, mounts included', async () => {
    healed = new HealedApp(module);
    const { runtime } = healed;
    const bare = module();
    const router = module.Router();
    router.get('/it/:id', heal({ runtime }), ok);
    router.get('/open', ok);
    bare.use('/orgs/:org', router);
    healed.app = bare;
    await healed.listen();
    await healed.ask('/orgs/a/it/1', '/orgs/orgs/it/2', '/orgs/a/open');
    await healed.booked({ 'GET /orgs/:org/it/:id': 2 });
    await runtime.target('route:GET /orgs/:org/it/:id').force('open');
    expect(await healed.ask('/orgs/a/it/1', '/orgs/a/open')).toEqual([503, 200]);
  });

  test('the emergency switch lets everything through, past heal too', async () => {
    healed = new HealedApp(module, {}, { disabled: true });
    healed.app.get('/it', heal({ policy: { deny: 'closed' } }), (req, res) => {
      res.json(req.healing.signal.aborted);
    });
    await healed.listen();
    expect(await healed.ask('/it')).toEqual([200]);
  });

  test('a WebSocket that is routed as express-ws does it: no slot, no slow call, no failure', async () => {
    healed = new HealedApp(module, {
      timeoutMs: 50,
      deadlineMs: 50,
      circuit: { slowCallMs: 50 },
      policy: { concurrency: 1 },
    });
    const { app, runtime } = healed;
    app.get('/chat', (req) => {
      req.socket.write('hello');
    });
    const server = createServer(app);
    // The handshake is over before the app hears of it, and the response is one that leads nowhere.
    server.on('upgrade', (req, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
      socket.on('end', () => socket.end()).resume();
      app(req as never, new ServerResponse(req) as never);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const headers = { Connection: 'Upgrade', Upgrade: 'websocket' };
    const clients = [];
    for (let i = 0; i < 3; i++) {
      const client = await RawClient.open((server.address() as AddressInfo).port);
      await client.send(wire('GET', '/chat', { headers })).has('hello');
      clients.push(client);
    }
    await pause(150);
    for (const client of clients) client.leave();
    server.close();
    await until('all to be booked', () => {
      const { inFlight, counts } = runtime.target('route:GET /chat').status();
      expect(counts).toMatchObject({ success: 3, slow: 0, failure: 0, ignored: 0, refused: 0 });
      return inFlight === 0;
    });
  });
});
