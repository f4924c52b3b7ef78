import { createHealing } from '@healix/core';
import { heal, healing, healthEndpoint } from '@healix/express';
import express, { type Request } from 'express';
import express4, { type Request as Request4 } from 'express4';
import { afterEach, expect, test } from 'vitest';

const runtime = createHealing({ shared: false });
afterEach(() => runtime.close());

test('fits the types of Express 5', () => {
  const app = express();
  app.use(healing({ runtime, name: (req: Request) => req.path, onRefused: (_req, res) => res.end() }));
  app.use('/health', healthEndpoint({ runtime }));
  app.get('/it/:id', heal({ runtime, deadlineMs: 100 }), (req, res) => {
    const { signal }: { signal: AbortSignal } = req.healing;
    const id: string = req.params.id;
    res.send(id + signal.aborted);
  });
  const router = express.Router();
  router.use(healing(runtime));
  router.route('/it').post(heal({ runtime }), (_req, res) => void res.send('ok'));
  expect(app.use(router)).toBe(app);
});

test('fits the types of Express 4', () => {
  const app = express4();
  app.use(healing({ runtime, name: (req: Request4) => req.path, onRefused: (_req, res) => res.end() }));
  app.use('/health', healthEndpoint({ runtime }));
  app.get('/it/:id', heal({ runtime, deadlineMs: 100 }), (req, res) => {
    const { signal }: { signal: AbortSignal } = req.healing;
    const id: string = req.params.id;
    res.send(id + signal.aborted);
  });
  const router = express4.Router();
  router.use(healing(runtime));
  router.route('/it').post(heal({ runtime }), (_req, res) => void res.send('ok'));
  expect(app.use(router)).toBe(app);
});

test('a wrong setting says where', () => {
  const wrong = (act: () => unknown) =>
    expect(act).toThrow(expect.objectContaining({ code: 'HEALIX_CONFIG' }));
  wrong(() => healing({ runtime, deadlineAnswer: 'yes' as never }));
  wrong(() => heal({ deadlineMs: -1 }));
  wrong(() => healing({ runtime, nonsense: 1 } as never));
  wrong(() => healthEndpoint({ details: 1 } as never));
});
