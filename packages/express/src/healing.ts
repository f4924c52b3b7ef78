import { defaultHealing, type Healing } from '@healix/core';
import { Admission } from './admission.ts';
import type { ExpressMiddleware, ExpressRequest, RoutedRequest } from './express.ts';
import { checkOptions, type HealingOptions } from './options.ts';

/**
 * Heals the routes of an application: `app.use(healing())`, before all else. Requests are admitted before their
 * body is read, under the route that will take them.
 *
 * @param options settings, or a runtime
 * @throws ConfigError for a wrong setting
 */
export function healing<R extends ExpressRequest = ExpressRequest>(
  options: HealingOptions<R> | Healing = {},
): ExpressMiddleware {
  const settings = checkOptions<R>(options);
  const admission = new Admission(settings, settings.runtime ?? defaultHealing());
  return function healing(req, res, next) {
    admission.ahead(req as RoutedRequest, res, next);
  };
}
