import { ConfigError } from '@healix/core';
import { type OutboundOptions, readOutboundOptions } from '@healix/core/adapter';
import type { Dispatcher } from 'undici';
import { interceptorFor } from './interceptor.ts';
import { isLegacy, isModern } from './legacy.ts';
import { balancedOptions, isBalanced, isBound, toPoolOfOrigin } from './origins.ts';

/**
 * `dispatcher` with healing around it: an agent, pool or client, a proxy agent, or a mock agent, which stays what
 * it is beneath. For `setGlobalDispatcher`, which heals the global fetch too, or the option `dispatcher`.
 *
 * A BalancedPool is one target, whose `hosts` are its upstreams: healing chooses among them in its place.
 *
 * @throws ConfigError
 */
export function healingDispatcher<D extends Dispatcher>(dispatcher: D, options?: OutboundOptions): D {
  const { dispatch, compose } = (dispatcher ?? {}) as Partial<Dispatcher>;
  if (typeof dispatch !== 'function' || typeof compose !== 'function') {
    throw new ConfigError('dispatcher', dispatcher, 'a dispatcher of undici 7 or 8');
  }
  const balanced = isBalanced(dispatcher) ? dispatcher : undefined;
  const settings = readOutboundOptions(balanced === undefined ? options : balancedOptions(balanced, options));
  const interceptor = interceptorFor(settings, balanced !== undefined || !isBound(dispatcher));
  const beneath = balanced === undefined ? [] : [toPoolOfOrigin(balanced)];
  const composed = dispatcher.compose(...beneath, interceptor).dispatch;
  const direct = [...beneath, interceptor].reduce(
    (dispatch, intercept) => intercept(dispatch),
    dispatcher.dispatch.bind(dispatcher),
  );
  // `compose` of undici 7 translates its own callers' handlers to and fro, at more than the cost of healing.
  const healed: Dispatcher['dispatch'] = (request, handler) =>
    isModern(handler) || !isLegacy(handler) ? composed(request, handler) : direct(request, handler);
  return new Proxy(dispatcher, {
    get(target, key) {
      if (key === 'dispatch') return healed;
      const own = target[key as keyof D];
      // They reach for private fields, which a proxy has not.
      return (key === 'close' || key === 'destroy') && typeof own === 'function' ? own.bind(target) : own;
    },
  });
}
