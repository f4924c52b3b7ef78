import type { Server } from 'node:http';

/** A framework with one route, `/users/:id`, which answers with a little JSON. */
export interface Framework {
  readonly name: string;
  /** @param healed whether healing stands in front of the route */
  serve(healed: boolean): Promise<Server>;
}

const answerFor = (id: string) => ({ id, name: 'Ada', roles: ['admin', 'author'], active: true });

const fastify: Framework = {
  name: 'fastify',
  async serve(healed) {
    const { default: createApp } = await import('fastify');
    const app = createApp();
    if (healed) await app.register((await import('@healix/fastify')).healing);
    app.get<{ Params: { id: string } }>('/users/:id', async ({ params }) => answerFor(params.id));
    await app.listen({ port: 0, host: '127.0.0.1' });
    return app.server;
  },
};

const koa: Framework = {
  name: 'koa',
  async serve(healed) {
    const { default: Koa } = await import('koa');
    const { default: Router } = await import('@koa/router');
    const app = new Koa();
    if (healed) app.use((await import('@healix/koa')).healing());
    const router = new Router();
    router.get('/users/:id', async (ctx) => {
      ctx.body = answerFor(ctx.params.id as string);
    });
    app.use(router.routes());
    return new Promise((resolve) => {
      const server = app.listen(0, '127.0.0.1', () => resolve(server));
    });
  },
};

export const FRAMEWORKS: readonly Framework[] = [fastify, koa];
