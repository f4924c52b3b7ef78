import { defaultHealing, type Healing } from '@healix/core';
import { checkHealOptions, exchangeOf, type HealOptions, Inbound, runtimeAmong } from '@healix/core/adapter';
import { answers } from './answers.ts';
import { brand } from './brands.ts';
import { type KoaContext, type KoaMiddleware, type KoaNext, prepare } from './context.ts';
import { Predictor } from './predictor.ts';
import { type RoutedContext, takenLayer } from './router.ts';

/**
 * Settings for one route: `router.post('/orders', heal({ deadlineMs: 2_000 }), handler)`. Below `healing()` they
 * are read before the request is admitted; without it, the request is admitted here, after what stands before.
 * Of several beside one route, each setting is what the last that has it says.
 *
 * @param options settings, and the runtime for where no `healing()` is above; or that runtime
 * @throws ConfigError for a wrong setting
 */
export function heal(options: HealOptions | Healing = {}): KoaMiddleware {
  const { runtime, settings } = checkHealOptions(options);
  const mounts = new Map<Healing, Mount>();
  function mountOf(ctx: KoaContext): Mount {
    const stack = takenLayer(ctx as RoutedContext, ctx.req.method as string)?.stack ?? [];
    const healing = runtimeAmong(stack) ?? runtime ?? defaultHealing();
    const known = mounts.get(healing);
    if (known !== undefined) return known;
    const inbound = new Inbound(healing, answers, { defaults: settings });
    const mount: Mount = { inbound, predictor: new Predictor(inbound.routes) };
    mounts.set(healing, mount);
    return mount;
  }
  function heal(ctx: KoaContext, next: KoaNext): Promise<unknown> {
    if (exchangeOf(ctx.req) !== undefined) return next();
    const { inbound, predictor } = mountOf(ctx);
    prepare(ctx.app);
    const route = predictor.taken(ctx, inbound.routes.unmatched);
    return inbound.admit(ctx.req, ctx.res, route, ctx) ? inbound.enter(ctx.req, next) : Promise.resolve();
  }
  return brand(heal, { healixOptions: settings, healixRuntime: runtime });
}

/** What heals the requests of one runtime. */
interface Mount {
  readonly inbound: Inbound<KoaContext>;
  readonly predictor: Predictor;
}
