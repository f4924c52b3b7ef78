import { heal, healthEndpoint } from '@healix/express';
import { expect, test } from 'vitest';
import { type Express, HealedApp, VERSIONS } from './app.ts';

function innerApp(module: Express, { runtime }: HealedApp) {
  const app = module();
  app.use('/health', healthEndpoint({ runtime }));
  app.get('/x/:id', (_req, res) => void res.send('ok'));
  app.use(
    '/router',
    module.Router().get('/y', (_req, res) => void res.send('ok')),
  );
  app.get('/throws', () => {
    throw new Error('thrown');
  });
  return app;
}

test.each(VERSIONS)('%s: the routes of an app under several mounts', async (_version, module) => {
  const healed = new HealedApp(module);
  const inner = innerApp(module, healed);
  for (const path of ['/a', '/t/:tenant', '/b']) healed.app.use(path, inner);
  await healed.listen();
  for (let i = 0; i < 2; i++) await healed.ask('/a/x/1', '/b/x/1', '/t/1/x/1', '/t/2/x/2', '/a/router/y');
  await healed.booked({
    'GET /a/x/:id': 2,
    'GET /b/x/:id': 2,
    'GET /t/:tenant/x/:id': 4,
    'GET /a/router/y': 2,
  });
  await healed.runtime.target('route:GET /b/x/:id').force('open');
  expect(await healed.ask('/a/x/1', '/b/x/1', '/t/3/x/1')).toEqual([200, 503, 200]);
  await healed.close();
});

test.each(VERSIONS)('%s: an error, before anything else has come by a mount', async (_version, module) => {
  const healed = new HealedApp(module);
  const inner = innerApp(module, healed);
  healed.app.use('/a', inner).use('/b', inner);
  await healed.listen();
  await healed.ask('/b/x/1', '/a/throws', '/b/throws', '/a/throws');
  await healed.booked({ 'GET /b/x/:id': 1, 'GET /a/throws': 2, 'GET /b/throws': 1 });
  await healed.close();
});

test.each(VERSIONS)('%s: an app mounted twice in an app mounted twice', async (_version, module) => {
  const healed = new HealedApp(module);
  const inner = innerApp(module, healed);
  const middle = module().use('/a', inner).use('/b', inner);
  healed.app.use('/m', middle).use('/n', middle);
  await healed.listen();
  const paths = ['/m/a', '/m/b', '/n/a', '/n/b'];
  await healed.ask(...paths.map((path) => `${path}/x/1`));
  await healed.booked(Object.fromEntries(paths.map((path) => [`GET ${path}/x/:id`, 1])));
  await healed.close();
});

test.each(VERSIONS)('%s: what two apps at one path may both have taken', async (_version, module) => {
  const healed = new HealedApp(module);
  const inner = innerApp(module, healed);
  healed.app.use('/a', module()).use('/a', inner).use('/b', inner);
  await healed.listen();
  await healed.ask('/b/x/1', '/a/x/1', '/a/x/2');
  await healed.booked({ 'GET /b/x/:id': 1, 'GET /a/x/:id': 2 });
  await healed.close();
});

test.each(VERSIONS)(
  '%s: settings for all of an app hold under each of its mounts',
  async (_version, module) => {
    const healed = new HealedApp(module);
    const inner = module()
      .use(heal({ tier: 'basic', deadlineMs: 1_234 }))
      .get('/x', (_req, res) => void res.send('ok'));
    healed.app.use('/a', inner).use('/b', inner);
    await healed.listen();
    await healed.ask('/a/x', '/b/x');
    await healed.booked({ 'GET /a/x': 1, 'GET /b/x': 1 });
    for (const mount of ['/a', '/b'])
      expect(healed.runtime.target(`route:GET ${mount}/x`).settings.deadlineMs).toBe(1_234);
    await healed.close();
  },
);

test.each(VERSIONS)(
  '%s: health answers under each mount that it was reached by',
  async (_version, module) => {
    const healed = new HealedApp(module);
    const inner = innerApp(module, healed);
    healed.app.use('/a', inner).use('/b', inner);
    await healed.listen();
    expect(await healed.ask('/a/health/live', '/b/x/1')).toEqual([200, 200]);
    await healed.booked({ '* /a/health': 1, 'GET /b/x/:id': 1 });
    for (const mount of ['/a', '/b', '/a/health', '/b/health'])
      await healed.runtime.target(`route:* ${mount}`).force('open');
    expect(await healed.ask('/a/health/live', '/b/health/live', '/a/health/other')).toEqual([200, 200, 503]);
    await healed.close();
  },
);
