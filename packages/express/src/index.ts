export type { RequestHealing } from '@healix/core/adapter';
export type { ExpressMiddleware, ExpressNext, ExpressRequest } from './express.ts';
export { heal } from './heal.ts';
export { healing } from './healing.ts';
export { type HealthEndpointOptions, healthEndpoint } from './health-endpoint.ts';
export type { HealingOptions, HealOptions } from './options.ts';
