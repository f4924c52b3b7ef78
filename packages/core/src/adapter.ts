/**
 * What adapters share, for whoever writes another one.
 *
 * Inbound: names of routes, admission and completion of
 * requests, answers to those that are refused or late, the health endpoint. All of it works over Node's own
 * request and response.
 *
 * An adapter makes one {@link Inbound} for each mount. For each request it finds the {@link Route} (from
 * `inbound.routes`, so that names stay bounded) and calls `inbound.admit(req, res, route, context)` before the
 * body is read; where that returns false the request is answered, and the handler must not run; else it goes on by
 * `inbound.enter(req, next)`, so that what is called on its behalf knows of it. Completion is
 * followed without the adapter's help; what only the framework knows is told by `exchangeOf(req)`: `takenOver`
 * when a handler takes the connection for itself.
 *
 * Outbound: options (`readOutboundOptions`, `readCallOptions`), and the rules by which attempts are limited in
 * time and repeated, for a client that cannot be called through `target.run`.
 *
 * @packageDocumentation
 */
export { type Ambient, ambient } from './ambient.ts';
export { isBeyondHealing } from './circuit/token.ts';
export { mergeOptions } from './config/settings.ts';
export { withoutStack } from './errors.ts';
export { type Answer, BODY_HEADERS, sendAnswer, sendLateAnswer } from './http/answers.ts';
export { type Exchange, type RequestHealing, UNHEALED } from './http/exchange.ts';
export {
  checkHealOptions,
  type HealBrand,
  type HealOptions,
  optionsAmong,
  runtimeAmong,
} from './http/heal.ts';
export {
  answerHealth,
  askedOfHealth,
  type ExtraOptions,
  HEALTH_PATHS,
  type HealthOptions,
  type HealthPath,
  readHealthOptions,
} from './http/health.ts';
export { Inbound, type InboundHooks, type InboundOptions, type OnRefused } from './http/inbound.ts';
export {
  type AdapterOptions,
  type AdapterSettings,
  checkAdapterOptions,
  isRuntime,
  LONGEST_NAME,
  nameByUser,
  readAdapterOptions,
  readRouteOptions,
} from './http/options.ts';
export {
  type CallOptions,
  type OutboundOptions,
  type OutboundSettings,
  readCallOptions,
  readOutboundOptions,
  type UpstreamRequest,
} from './http/outbound.ts';
export type { RawRequest, RawResponse } from './http/raw.ts';
export { type Route, Routes, type RoutesOptions, routeName } from './http/routes.ts';
export { exchangeOf } from './http/watch.ts';
export {
  type AttemptHost,
  attemptLimitMs,
  deadlineError,
  isLast,
  isProbe,
  lateness,
  lateOutcome,
  shorter,
  takeRepeat,
} from './recovery/attempts.ts';
export type { RequestScope } from './request-scope.ts';
export { layOptions } from './run-options.ts';
export { Timed } from './time/timer-wheel.ts';
