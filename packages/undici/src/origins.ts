import { LONGEST_NAME, type OutboundOptions } from '@healix/core/adapter';
import type { BalancedPool, Dispatcher } from 'undici';

/** A pool of several origins, which chooses one by itself, unless it is asked for one of its pools. */
export function isBalanced(dispatcher: Dispatcher): dispatcher is BalancedPool {
  const { getUpstream, upstreams } = dispatcher as Partial<BalancedPool>;
  return typeof getUpstream === 'function' && Array.isArray(upstreams);
}

/** Whether a dispatcher has but one origin, and sends all there whatever a request names: a pool or a client. */
export function isBound(dispatcher: Dispatcher): boolean {
  const url = Object.getOwnPropertySymbols(dispatcher).find(({ description }) => description === 'url');
  return url !== undefined && dispatcher[url as keyof Dispatcher] !== undefined;
}

/** What a balanced pool is healed with: as one target, whose hosts are its upstreams. */
export function balancedOptions({ upstreams }: BalancedPool, options: OutboundOptions = {}): OutboundOptions {
  const [first = 'balanced-pool', ...others] = upstreams;
  const all = upstreams.join('+');
  const name = all.length > LONGEST_NAME / 2 || all === '' ? `${first}+${others.length}` : all;
  return { key: () => name, hosts: upstreams, ...options };
}

/** Has a request go to the pool of its origin. One that the balanced pool does not have is left to its choice. */
export function toPoolOfOrigin(balanced: BalancedPool): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (request, handler) => {
    const { origin } = request;
    const pool = origin == null ? undefined : balanced.getUpstream(origin);
    return pool === undefined ? dispatch(request, handler) : pool.dispatch(request, handler);
  };
}
