import { healthEndpoint } from '@healix/express';
import type { Express } from 'express';
import { expect, test } from 'vitest';
import { HealedApp, VERSIONS } from './app.ts';

test.each(VERSIONS)('%s: req.healing in apps, however they are mounted', async (_version, module) => {
  const healed = new HealedApp(module, { deadlineMs: 40 });
  const { app } = healed;
  const makeInner = (): Express =>
    module().get('/x', (req, res) => {
      req.healing.signal.addEventListener('abort', () => res.sendStatus(504));
    });
  const wrapped = makeInner();
  app.use('/direct', makeInner());
  app.use('/router', module.Router().use('/inner', makeInner()));
  app.use('/function', (req, res, next) => wrapped(req, res, next));
  await healed.listen();
  expect(await healed.ask('/direct/x', '/router/inner/x', '/function/x')).toEqual([504, 504, 504]);
  await healed.close();
});

test.each(VERSIONS)(
  '%s: health in an app answers whatever is shed, where healing can see the app',
  async (_version, module) => {
    const healed = new HealedApp(module, { policy: { deny: 'closed' } });
    const { runtime } = healed;
    const ops = module();
    ops.use('/health', healthEndpoint({ runtime }));
    healed.app.use('/ops', module.Router().use(ops));
    healed.app.get('/it', (_req, res) => void res.send('ok'));
    await healed.listen();
    expect(await healed.ask('/ops/health/live', '/it')).toEqual([200, 403]);
    await healed.close();
  },
);

test.each(VERSIONS)(
  '%s: health in an app answers whatever is shed, once a request has got through to the app',
  async (_version, module) => {
    const healed = new HealedApp(module);
    const { runtime } = healed;
    const inner = module();
    inner.use('/health', healthEndpoint({ runtime }));
    const ops = module();
    ops.use('/inner', inner);
    healed.app.use('/ops', ops);
    await healed.listen();
    expect(await healed.ask('/ops/inner/health/live')).toEqual([200]);
    await healed.booked({ '* /ops/inner/health': 1 });
    for (const mount of ['/ops', '/ops/inner/health']) await runtime.target(`route:* ${mount}`).force('open');
    const paths = ['', '/live', '/ready', '/metrics', '/other'].map((path) => `/ops/inner/health${path}`);
    expect(await healed.ask(...paths)).toEqual([200, 200, 200, 200, 503]);
    await healed.close();
  },
);
