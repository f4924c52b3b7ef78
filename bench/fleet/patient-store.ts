import type { RedisClient } from '../../packages/core/src/store/redis/client.ts';
import { RedisStore } from '../../packages/core/src/store/redis/redis-store.ts';
import type { Store } from '../../packages/core/src/store/store.ts';
import { type Clock, systemClock } from '../../packages/core/src/time/clock.ts';

const PATIENCE = 200;
const clock: Clock = {
  ...systemClock,
  setTimer: (callback, delayMs) => systemClock.setTimer(callback, delayMs * PATIENCE),
};

/** A store that a benchmark drives itself: it waits for what others would give up, so that it is measured. */
export function patientStore(client: RedisClient, service: string): Store {
  const store = new RedisStore(client, {}, { clock });
  store.open(service);
  return store;
}
