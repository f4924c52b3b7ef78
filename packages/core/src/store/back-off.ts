import type { Random } from '../time/random.ts';

const SHORTEST_RETRY_MS = 250;
const RETRY_A_REPLICA_MS = 2;
const LONGEST_RETRY_MS = 5_000;
/** However many replicas there are said to be. */
const LONGEST_RETRY_FOR_ALL_MS = 20_000;

/**
 * How long to wait before trying the store again after the nth failure in a row, in ms: a random part of a time that
 * doubles. `live` replicas do so at the same time.
 */
export function backOffMs(failures: number, live: number, random: Random): number {
  const forAllMs = Math.min(live * RETRY_A_REPLICA_MS, LONGEST_RETRY_FOR_ALL_MS);
  const first = Math.max(SHORTEST_RETRY_MS, forAllMs);
  const most = Math.min(first * 2 ** Math.min(failures - 1, 10), Math.max(first, LONGEST_RETRY_MS));
  return Math.ceil(random.next() * most);
}
