export type { CallOptions, OutboundOptions, UpstreamRequest } from '@healix/core/adapter';
export { healingDispatcher } from './dispatcher.ts';
export { type AnyFetch, healingFetch } from './fetch.ts';
export { healingInterceptor } from './interceptor.ts';
export type { RequestHealing } from './request-options.ts';
