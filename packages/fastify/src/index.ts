export type { RequestHealing } from '@healix/core/adapter';
export { type HealingOptions, healing } from './healing.ts';
export { type HealthEndpointOptions, healthEndpoint } from './health-endpoint.ts';
