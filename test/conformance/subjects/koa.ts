import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { heal, healing, healthEndpoint } from '@healix/koa';
import type Router from '@koa/router';
import type Koa from 'koa';
import type { Context, Middleware, Next } from 'koa';
import { readJson } from '../harness/read-json.ts';
import type { AppSpec, Call, HealingSpec, MountSpec, RouteSpec, Subject } from '../harness/subject.ts';

interface Modules {
  readonly Koa: new () => Koa;
  readonly Router: new () => Router;
}

/** Koa with its router, of whichever versions. */
export function koaSubject(name: string, modules: Modules): Subject {
  return {
    name,
    lacks: {},
    async build(spec) {
      const app = new modules.Koa();
      app.silent = true;
      for (const item of spec.healing ?? []) app.use(healing(adapterOptions(item)));
      const { health, rewrite } = spec;
      if (health) app.use(healthEndpoint(health));
      if (rewrite) app.use(rewriting(rewrite));
      app.use(parsing);
      fill(app, spec, modules);
      const answer = app.callback();
      const server = spec.http2
        ? createHttp2Server((req, res) => void answer(req as never, res as never))
        : createHttpServer(answer);
      return { server, close: async () => {} };
    },
  };
}

function fill(app: Koa, { routes = [], mounts = [] }: Pick<AppSpec, 'routes' | 'mounts'>, modules: Modules) {
  const router = new modules.Router();
  for (const route of routes) declare(router, route);
  for (const inner of mounts) {
    if (inner.kind === 'router') nest(router, inner, modules);
    else if (inner.kind === 'closure') hide(app, inner, modules);
    else for (const prefix of inner.prefixes) app.use(mountApp(prefix, inner, modules));
  }
  app.use(router.routes());
}

function nest(
  router: Router,
  { prefixes, routes, mounts = [], healing: settings = [] }: MountSpec,
  modules: Modules,
) {
  const child = new modules.Router();
  for (const item of settings) child.use(healing(adapterOptions(item)));
  for (const route of routes) declare(child, route);
  for (const inner of mounts) nest(child, inner, modules);
  for (const prefix of prefixes) router.use(prefix, child.routes());
}

/** Nobody can see which router, if any, stands behind the function. */
function hide(app: Koa, inner: MountSpec, modules: Modules) {
  const router = new modules.Router();
  nest(router, inner, modules);
  const hidden = router.routes() as Middleware;
  app.use((ctx, next) => hidden(ctx, next));
}

/** What koa-mount does: the app below sees a path without the prefix. */
function mountApp(prefix: string, inner: MountSpec, modules: Modules): Middleware {
  const app = new modules.Koa();
  for (const item of inner.healing ?? []) app.use(healing(adapterOptions(item)));
  fill(app, inner, modules);
  const middlewares = app.middleware;
  return async (ctx, next) => {
    const outside = ctx.path;
    if (!outside.startsWith(`${prefix}/`)) return next();
    const inside = outside.slice(prefix.length);
    ctx.mountPath = prefix;
    ctx.path = inside;
    const leave = async () => {
      ctx.path = outside;
      await next();
      ctx.path = inside;
    };
    await run(middlewares, ctx, leave);
    ctx.path = outside;
  };
}

function run(middlewares: readonly Middleware[], ctx: Context, last: Next): Promise<unknown> {
  const [first, ...rest] = middlewares;
  return first === undefined ? last() : Promise.resolve(first(ctx, () => run(rest, ctx, last)));
}

function declare(router: Router, { method, path, handler, healing: settings }: RouteSpec) {
  const verb = method === 'ALL' ? 'all' : method.toLowerCase();
  const chain: unknown[] = settings ? [heal(settings)] : [];
  chain.push((ctx: Context) => handler(callOf(ctx)));
  (router as unknown as Record<string, (...args: unknown[]) => void>)[verb]?.(path, ...chain);
}

function rewriting(rewrite: (url: string) => string): Middleware {
  return (ctx, next) => {
    ctx.url = rewrite(ctx.url);
    return next();
  };
}

const parsing: Middleware = async (ctx, next) => {
  ctx.parsed = await readJson(ctx.req).catch((error) => ctx.throw(400, error.message));
  return next();
};

function adapterOptions({ name, ...options }: HealingSpec) {
  return name ? { ...options, name: (ctx: { req: Call['req'] }) => name(ctx.req) } : options;
}

function callOf(ctx: Context): Call {
  return {
    req: ctx.req,
    res: ctx.res,
    params: ctx.params,
    body: ctx.parsed,
    healing: ctx.healing,
    send({ status = 200, headers = {}, body }) {
      ctx.status = status;
      ctx.set({ ...headers } as Record<string, string>);
      if (body !== undefined) ctx.body = body;
    },
    redirect: (to) => ctx.redirect(to),
    takeOver() {
      ctx.respond = false;
    },
    error(status, message) {
      try {
        return ctx.throw(status, message);
      } catch (error) {
        return error as Error;
      }
    },
  };
}
