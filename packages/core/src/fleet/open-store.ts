import { SERVICE, SERVICE_NAME } from '../config/service-name.ts';
import { ConfigError } from '../errors.ts';
import { redisStoreAt } from '../store/redis/redis-store.ts';
import type { Store } from '../store/store.ts';

/** What a user says of the fleet. */
export interface FleetOptions {
  readonly redis?: string | undefined;
  readonly store?: Store | undefined;
  readonly service?: string | undefined;
}

/**
 * The store that the options or the environment name, and the fleet's name; undefined where there is no fleet, and in
 * observe mode, whose circuits must not move those of others.
 *
 * @throws ConfigError where there is a store and no service: default names would have services meet by accident
 */
export function openStore(
  { redis, store, service = given('HEALIX_SERVICE') }: FleetOptions,
  mode: string,
): { store: Store; service: string } | undefined {
  if (mode === 'off') return undefined;
  if (redis !== undefined && store !== undefined) {
    throw new ConfigError('redis', redis, 'nothing, since `store` is given');
  }
  const url = redis ?? given('HEALIX_REDIS_URL');
  if (store === undefined && url === undefined) return undefined;
  if (service === undefined) {
    throw new ConfigError('service', undefined, 'a name for the fleet, since `redis` or `store` is given');
  }
  if (!SERVICE_NAME.test(service)) throw new ConfigError('HEALIX_SERVICE', service, SERVICE);
  if (mode !== 'heal') return undefined;
  return { store: store ?? redisStoreAt(url as string), service };
}

/** A variable of the environment; an empty one counts as absent. */
function given(name: string): string | undefined {
  return process.env[name] || undefined;
}
