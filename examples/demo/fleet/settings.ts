/** What the replicas, the load and the run share. */

export const REPLICAS = ['replica 1', 'replica 2', 'replica 3'];
/** Requests a second, to all replicas together. */
export const RATE = 48;
/** Longest time that a replica waits for the upstream. */
export const UPSTREAM_TIMEOUT_MS = 400;
/** How long Redis may take to answer at first, while many processes start. */
export const REDIS_PATIENCE_MS = 8_000;
/** Ms of health before the upstream dies, and after it has returned. */
export const BEFORE_MS = 2_000;
export const AFTER_MS = 5_500;
/** Without sharing, at least so many times the requests reach the dead upstream. */
export const WANTED_RATIO = 1.5;
