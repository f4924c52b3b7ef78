import { defaultHealing } from '@healix/core';
import { Admission } from './admission.ts';
import type { Branded, ExpressMiddleware, ExpressRequest, RoutedRequest } from './express.ts';
import { checkOptions, type HealingOptions } from './options.ts';

/**
 * Settings for one route: `app.post('/orders', heal({ deadlineMs: 2_000 }), handler)`. Behind `healing()` they
 * are read before the request is admitted; without it, the request is admitted here, after what stands before.
 *
 * @throws ConfigError for a wrong setting
 */
export function heal<R extends ExpressRequest = ExpressRequest>(
  options: HealingOptions<R> = {},
): ExpressMiddleware {
  const settings = checkOptions<R>(options);
  const { defaults, deadlineAnswer } = settings;
  let admission: Admission<R> | undefined;
  function heal(...[req, res, next]: Parameters<ExpressMiddleware>): void {
    admission ??= new Admission(settings, settings.runtime ?? defaultHealing());
    admission.here(req as RoutedRequest, res, next);
  }
  const brand: Branded = { healixRoute: { options: defaults, deadlineAnswer } };
  return Object.assign(heal, brand);
}
