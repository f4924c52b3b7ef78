import {
  answerHealth,
  HEALTH_PATHS,
  type HealthOptions,
  readHealthOptions,
  sendAnswer,
} from '@healix/core/adapter';
import type { Branded, ExpressMiddleware, RoutedRequest } from './express.ts';
import { innerPathOf } from './visit.ts';

/** The runtime, and whether to tell details. */
export interface HealthEndpointOptions extends HealthOptions {}

/**
 * Health for people and probes: `app.use('/health', healthEndpoint())` answers there, and below at `/live`,
 * `/ready` and `/metrics`. It is never refused itself, as long as it stands before `healing()`, or where that can
 * see it: in the app, or in routers there, but not in an app mounted there, nor behind a function of your own.
 *
 * @throws ConfigError for a wrong setting
 */
export function healthEndpoint(options: HealthEndpointOptions = {}): ExpressMiddleware {
  const { runtime, details } = readHealthOptions(options);
  function healthEndpoint(...[req, res, next]: Parameters<ExpressMiddleware>): void {
    const asked = innerPathOf(req as RoutedRequest);
    const path = HEALTH_PATHS.find((known) => known === asked);
    if (path === undefined || (req.method !== 'GET' && req.method !== 'HEAD')) next();
    else answerHealth(runtime, path, details).then((answer) => sendAnswer(res, answer), next);
  }
  const brand: Branded = { healixHealth: true };
  return Object.assign(healthEndpoint, brand);
}
