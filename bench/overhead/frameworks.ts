import { createServer, type Server } from 'node:http';
import { seededRandom } from '../statistics.ts';
import { follow } from './follow.ts';

/** What stands in front of the routes: nothing, the least that could, or healing. */
export type Mode = 'bare' | 'followed' | 'healed';

/** A framework whose routes answer with a little JSON. */
export interface Framework {
  readonly name: string;
  /** Paths to ask for, whose answers are all of the same length. */
  readonly paths: readonly string[];
  /** What the lower end of bare / healed is to be at least. */
  readonly leastRatio?: number;
  serve(mode: Mode): Promise<Server>;
}

const IDS = 100_000;

const answerFor = (id: string) => ({ id, name: 'Ada', roles: ['admin', 'author'], active: true });

const fastify: Framework = {
  name: 'fastify',
  paths: ['/users/42'],
  leastRatio: 0.97,
  async serve(mode) {
    const { default: createApp } = await import('fastify');
    const app = createApp();
    if (mode === 'healed') await app.register((await import('@healix/fastify')).healing);
    if (mode === 'followed') {
      app.addHook('onRequest', (_request, reply, next) => {
        follow(reply.raw);
        next();
      });
    }
    app.get<{ Params: { id: string } }>('/users/:id', async ({ params }) => answerFor(params.id));
    await app.listen({ port: 0, host: '127.0.0.1' });
    return app.server;
  },
};

const koa: Framework = {
  name: 'koa',
  paths: ['/users/42'],
  leastRatio: 0.97,
  async serve(mode) {
    const { default: Koa } = await import('koa');
    const { default: Router } = await import('@koa/router');
    const app = new Koa();
    if (mode === 'healed') app.use((await import('@healix/koa')).healing());
    if (mode === 'followed') {
      app.use((ctx, next) => {
        follow(ctx.res);
        return next();
      });
    }
    const router = new Router();
    router.get('/users/:id', async (ctx) => {
      ctx.body = answerFor(ctx.params.id as string);
    });
    app.use(router.routes());
    return listen(createServer(app.callback()));
  },
};

/** Express with so many routes, each asked for with any of 100,000 ids. */
function express(routes: number, leastRatio?: number): Framework {
  return {
    name: `express, ${routes} routes`,
    paths: pathsOver(routes),
    ...(leastRatio !== undefined && { leastRatio }),
    async serve(mode) {
      const { default: createApp } = await import('express');
      const app = createApp();
      if (mode === 'healed') app.use((await import('@healix/express')).healing());
      if (mode === 'followed') {
        app.use((_req, res, next) => {
          follow(res);
          next();
        });
      }
      for (let i = 0; i < routes; i++) {
        app.get(`/things-${i}/:id`, (req, res) => {
          res.json(answerFor(req.params.id));
        });
      }
      return listen(createServer(app));
    },
  };
}

function pathsOver(routes: number): string[] {
  const random = seededRandom(routes);
  return Array.from({ length: IDS }, (_, i) => `/things-${Math.floor(random() * routes)}/${IDS + i}`);
}

function listen(server: Server): Promise<Server> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

export const FRAMEWORKS: readonly Framework[] = [
  fastify,
  koa,
  express(20, 0.97),
  express(100),
  express(500, 0.93),
];
