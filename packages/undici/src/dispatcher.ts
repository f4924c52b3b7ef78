import { ConfigError } from '@healix/core';
import type { OutboundOptions } from '@healix/core/adapter';
import type { Dispatcher } from 'undici';
import { healingInterceptor } from './interceptor.ts';
import { isLegacy, isModern } from './legacy.ts';

/**
 * `dispatcher` with healing around it: an agent, pool or client, a proxy agent, or a mock agent, which stays what
 * it is beneath. For `setGlobalDispatcher`, which heals the global fetch too, or the option `dispatcher`.
 *
 * @throws ConfigError
 */
export function healingDispatcher<D extends Dispatcher>(dispatcher: D, options?: OutboundOptions): D {
  const { dispatch, compose } = (dispatcher ?? {}) as Partial<Dispatcher>;
  if (typeof dispatch !== 'function' || typeof compose !== 'function') {
    throw new ConfigError('dispatcher', dispatcher, 'a dispatcher of undici 7 or 8');
  }
  const interceptor = healingInterceptor(options);
  const composed = dispatcher.compose(interceptor).dispatch;
  const direct = interceptor(dispatcher.dispatch.bind(dispatcher));
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
