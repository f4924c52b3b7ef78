import {
  answerHealth,
  askedOfHealth,
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
 * see it: in the app, or in routers there. In an app mounted there it is seen once a request has got through to that
 * app by that mount, behind a function of your own never.
 *
 * @throws ConfigError for a wrong setting
 */
export function healthEndpoint(options: HealthEndpointOptions = {}): ExpressMiddleware {
  const { runtime, details } = readHealthOptions(options);
  function healthEndpoint(...[req, res, next]: Parameters<ExpressMiddleware>): void {
    const path = askedOfHealth(req.method, innerPathOf(req as RoutedRequest));
    if (path === undefined) next();
    else answerHealth(runtime, path, details).then((answer) => sendAnswer(res, answer), next);
  }
  const brand: Branded = { healixHealth: true };
  return Object.assign(healthEndpoint, brand);
}
