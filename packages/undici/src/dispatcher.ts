import { ConfigError } from '@healix/core';
import type { OutboundOptions } from '@healix/core/adapter';
import type { Dispatcher } from 'undici';
import { healingInterceptor } from './interceptor.ts';

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
  return dispatcher.compose(healingInterceptor(options)) as D;
}
