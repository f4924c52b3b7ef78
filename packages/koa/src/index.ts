export type { HealOptions, RequestHealing } from '@healix/core/adapter';
export type { HealingContext, KoaContext, KoaMiddleware, KoaNext } from './context.ts';
export { heal } from './heal.ts';
export { type HealingOptions, healing } from './healing.ts';
export { type HealthEndpointOptions, healthEndpoint } from './health-endpoint.ts';
