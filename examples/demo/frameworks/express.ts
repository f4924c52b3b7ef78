import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { healing, healthEndpoint } from '@healix/express';
import express, { type ErrorRequestHandler } from 'express';
import type { Shop } from './shop.ts';

export async function serve({ runtime, routes }: Shop, port: number): Promise<string> {
  const app = express();
  if (runtime !== undefined) {
    app.use('/health', healthEndpoint({ runtime, details: true }));
    app.use(healing(runtime));
  }
  for (const { method, path, answer } of routes) {
    app[method](path, async (req, res) => {
      res.json(await answer(req.params as Record<string, string>));
    });
  }
  app.use(answerError);
  const server = app.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Express's own would write each error to stderr. */
const answerError: ErrorRequestHandler = (error, _req, res, next) => {
  if (res.headersSent) next(error);
  else res.status(500).json({ error: error.message });
};
