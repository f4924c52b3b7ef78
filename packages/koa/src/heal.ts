import { defaultHealing } from '@healix/core';
import { checkAdapterOptions, exchangeOf, Inbound } from '@healix/core/adapter';
import { answers } from './answers.ts';
import type { Branded } from './brands.ts';
import { type KoaContext, type KoaMiddleware, type KoaNext, prepare } from './context.ts';
import type { HealingOptions } from './healing.ts';
import { Predictor } from './predictor.ts';

/**
 * Settings for one route: `router.post('/orders', heal({ deadlineMs: 2_000 }), handler)`. Below `healing()` they
 * are read before the request is admitted; without it, the request is admitted here, after what stands before.
 *
 * @throws ConfigError for a wrong setting
 */
export function heal(options: HealingOptions = {}): KoaMiddleware {
  const settings = checkAdapterOptions<KoaContext>(options);
  let inbound: Inbound<KoaContext> | undefined;
  let predictor: Predictor;
  function heal(ctx: KoaContext, next: KoaNext): Promise<unknown> {
    if (exchangeOf(ctx.req) !== undefined) return next();
    if (inbound === undefined) {
      inbound = new Inbound(settings.runtime ?? defaultHealing(), answers, settings);
      predictor = new Predictor(inbound.routes);
    }
    prepare(ctx.app);
    const { unmatched } = inbound.routes;
    const route = predictor.taken(ctx, unmatched);
    return inbound.admit(ctx.req, ctx.res, route, ctx) ? next() : Promise.resolve();
  }
  const brand: Branded = { healixOptions: settings.defaults ?? {} };
  return Object.assign(heal, brand);
}
