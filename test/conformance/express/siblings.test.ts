import { heal, healing } from '@healix/express';
import type { RequestHandler, Response } from 'express';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../harness/wait.ts';
import { HealedApp, VERSIONS } from './app.ts';

const ok: RequestHandler = (_req, res) => {
  res.send('ok');
};

/** What an open route refuses, and what it must not. */
describe.each(VERSIONS)('%s: beside an open route', (version, module) => {
  let healed: HealedApp;
  let app: HealedApp['app'];

  beforeEach(() => {
    healed = new HealedApp(module);
    app = healed.app;
  });
  afterEach(() => healed.close());

  async function open(path: string, name: string): Promise<void> {
    await healed.listen();
    await healed.ask(path, path);
    await healed.runtime.target(`route:GET ${name}`).force('open');
    expect(await healed.ask(path)).toEqual([503]);
  }

  test('literals before its parameter that have taken nothing yet', async () => {
    app.get('/orders/stats', ok);
    app.get('/orders/ping', heal({ exempt: true }), ok);
    app.get(['/orders/one', '/orders/two'], ok);
    app.get(/^\/orders\/x\d+$/, ok);
    app.get('/orders/:id', ok);
    await open('/orders/1', '/orders/:id');
    expect(
      await healed.ask('/orders/stats', '/orders/ping', '/orders/two', '/orders/x1', 'HEAD /orders/stats'),
    ).toEqual([200, 200, 200, 200, 200]);
    expect(await healed.ask('/orders/2')).toEqual([503]);
  });

  test('literals in routers, with a path and without', async () => {
    const plain = module.Router().get('/api/orders/stats', ok);
    const other = module.Router().get('/orders/ping', ok);
    const router = module.Router().get('/orders/last', ok).get('/orders/:id', ok);
    app.use(plain);
    app.use('/api', other);
    app.use('/api', router);
    await open('/api/orders/1', '/api/orders/:id');
    expect(await healed.ask('/api/orders/stats', '/api/orders/ping', '/api/orders/last')).toEqual([
      200, 200, 200,
    ]);
  });

  test('files, an app and a router at a mount that its parameter takes as well', async () => {
    const admin = module().get('/users', ok);
    app.use('/assets', module.static(import.meta.dirname));
    app.use('/admin', admin);
    app.use('/team', module.Router().get('/users', ok));
    app.get('/:lang/:page', ok);
    await open('/en/1', '/:lang/:page');
    expect(
      await healed.ask('/assets/app.ts', '/admin/users', '/admin/users', '/team/users', '/assets/app.ts'),
    ).toEqual([200, 200, 200, 200, 200]);
  });

  test('one that differs in capitals, where they matter', async () => {
    healed.app = app = module();
    app.enable('case sensitive routing');
    app.use(healing(healed.runtime));
    app.get('/Foo', ok);
    app.get('/foo', ok);
    await open('/Foo', '/Foo');
    expect(await healed.ask('/foo', '/foo')).toEqual([200, 200]);
  });

  test('one that it passes some requests on to', async () => {
    app.get('/things/:id', (req, res, next) => (req.query.pass ? next() : ok(req, res, next)));
    app.get(version === 'Express 4' ? '/things*' : '/things{/*rest}', ok);
    await healed.listen();
    await healed.ask('/things/1', '/things/2?pass=1', '/things/3?pass=1');
    expect(healed.corrected).toBe(2);
    await healed.runtime.target('route:GET /things/:id').force('open');
    expect(await healed.ask('/things/4?pass=1')).toEqual([200]);
  });

  test('one of the same paths, where both took their first request at once', async () => {
    const handlers = new Map<string, () => void>();
    app.get('/things/:id', (req, res, next) => (req.query.pass ? next() : hold('first', res)));
    app.get('/things/:name', (req, res) => (req.query.hold ? hold('second', res) : res.send('ok')));
    const hold = (name: string, res: Response) => void handlers.set(name, () => res.send('ok'));
    const target = healed.runtime.target('route:GET /things/:id');
    await healed.listen();
    const asked = [healed.ask('/things/1'), healed.ask('/things/2?pass=1&hold=1')];
    await until('both to be under way', () => handlers.size === 2);
    for (const name of ['first', 'second']) {
      handlers.get(name)?.();
      await until(`the ${name} to be over`, () => target.status().inFlight === (name === 'first' ? 1 : 0));
    }
    await Promise.all(asked);
    await target.force('open');
    expect(await healed.ask('/things/3?pass=1')).toEqual([200]);
  });

  test('what passes requests on does not stand for the route behind it', async () => {
    app.use('/api', (_req, _res, next) => next());
    app.get('/api/:id', ok);
    await open('/api/1', '/api/:id');
    expect(healed.corrected).toBe(0);
  });
});

test('a route among hundreds is found without asking the others', async () => {
  const [[, module] = []] = VERSIONS;
  const healed = new HealedApp(module as NonNullable<typeof module>);
  for (let i = 0; i < 300; i++) healed.app.get(`/things-${i}/:id`, ok);
  healed.app.get('/things-299/last', ok);
  await healed.listen();
  await healed.ask('/things-200/1', '/things-200/1');
  const { stack } = healed.app.router as unknown as { stack: { match(path: string): unknown }[] };
  let asked = 0;
  for (const layer of stack) {
    const { match } = layer;
    layer.match = (path) => {
      asked++;
      return match.call(layer, path);
    };
  }
  await healed.ask('/things-200/2');
  // Express itself asks those that stand before it.
  expect(asked).toBeLessThan(220);
  await healed.close();
});
