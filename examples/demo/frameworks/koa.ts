import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { healing, healthEndpoint } from '@healix/koa';
import Router from '@koa/router';
import Koa from 'koa';
import type { Shop } from './shop.ts';

export async function serve({ runtime, routes }: Shop, port: number): Promise<string> {
  const app = new Koa();
  const router = new Router();
  for (const { method, path, answer } of routes) {
    router[method](path, async (ctx) => {
      ctx.body = await answer(ctx.params);
    });
  }
  app.silent = true;
  if (runtime !== undefined) {
    app.use(healthEndpoint({ runtime, path: '/health', details: true }));
    app.use(healing(runtime));
  }
  app.use(router.routes());
  const server = app.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
