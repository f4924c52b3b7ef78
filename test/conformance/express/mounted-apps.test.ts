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
