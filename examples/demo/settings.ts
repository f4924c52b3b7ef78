/** What both services and the load share. */

/** Requests a second to each of the two services. */
export const RATE = 30;
/** Share of requests that look at a product; the others buy one. */
export const PRODUCT_SHARE = 0.8;
/** Clients give up after this time. */
export const PATIENCE_MS = 1_000;
/** Requests that a service has under way at its upstreams at once; further ones wait for their turn. */
export const CONNECTIONS = 6;
/** Longest time that a service without healing waits for an upstream. */
export const CLIENT_TIMEOUT_MS = 5_000;
/** The load, and the upstreams' latencies and errors, come from this. */
export const SEED = 7;
/** Requests before the count begins, so that nobody is measured while modules load. */
export const WARM_UP_MS = 1_500;
