import { healing, healthEndpoint } from '@healix/fastify';
import Fastify from 'fastify';
import type { Shop } from './shop.ts';

export async function serve({ runtime, routes }: Shop, port: number): Promise<string> {
  const app = Fastify();
  if (runtime !== undefined) {
    await app.register(healing, { runtime });
    await app.register(healthEndpoint, { runtime, prefix: '/health', details: true });
  }
  for (const { method, path, answer } of routes) {
    app[method]<{ Params: Record<string, string> }>(path, ({ params }) => answer(params));
  }
  return app.listen({ port, host: '127.0.0.1' });
}
