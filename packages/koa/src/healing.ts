import type { Healing } from '@healix/core';
import {
  type AdapterOptions,
  Inbound,
  nameByUser,
  type Route,
  readAdapterOptions,
} from '@healix/core/adapter';
import { answers } from './answers.ts';
import { type KoaContext, type KoaMiddleware, type KoaNext, prepare } from './context.ts';
import { Predictor } from './predictor.ts';

/** Settings for all routes of the application, and those of the adapter. */
export interface HealingOptions extends AdapterOptions<KoaContext> {}

/**
 * Heals the routes of an application: `app.use(healing())`, before all else but CORS, whose headers refusals
 * need. Requests are admitted before any later middleware sees them, under the route of @koa/router that will take them.
 *
 * @param options settings, or a runtime
 * @throws ConfigError for a wrong setting
 */
export function healing(options: HealingOptions | Healing = {}): KoaMiddleware {
  const settings = readAdapterOptions<KoaContext>(options);
  const namedByUser = new WeakSet<Route>();
  const inbound: Inbound<KoaContext> = new Inbound(
    settings.runtime,
    {
      ...answers,
      taken: (ctx, route) => (namedByUser.has(route) ? route : predictor.taken(ctx, route)),
    },
    settings,
  );
  const predictor = new Predictor(inbound.routes);
  const routeOf = (ctx: KoaContext): Route | undefined => {
    const route = predictor.predict(ctx);
    const name = route && nameByUser(settings, ctx);
    if (name === undefined) return route;
    const named = inbound.routes.get(name, route?.options);
    namedByUser.add(named);
    return named;
  };
  let lastApp: object | undefined;
  return function healing(ctx: KoaContext, next: KoaNext): Promise<unknown> {
    if (ctx.app !== lastApp) {
      lastApp = ctx.app;
      prepare(ctx.app);
    }
    if (settings.runtime.disabled) return next();
    const route = routeOf(ctx);
    if (route === undefined) return next();
    return inbound.admit(ctx.req, ctx.res, route, ctx) ? inbound.enter(ctx.req, next) : Promise.resolve();
  };
}
