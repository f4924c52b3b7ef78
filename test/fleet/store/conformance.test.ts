import { afterAll, beforeAll, describe, test } from 'vitest';
import { storeConformance } from '../../../packages/core/src/store/conformance/store-conformance.ts';
import type { StoreSubject } from '../../../packages/core/src/store/conformance/subject.ts';
import { FleetMemory } from '../../../packages/core/src/store/memory/fleet-memory.ts';
import { MemoryStore } from '../../../packages/core/src/store/memory/memory-store.ts';
import { SettableClock } from '../harness/settable-clock.ts';
import { VirtualRedis } from '../harness/virtual-redis.ts';

function conformance(subject: () => StoreSubject): void {
  for (const { name, run } of storeConformance) test(name, () => run(subject()));
}

describe('MemoryStore', () => {
  const clock = new SettableClock();
  const memory = new FleetMemory(clock);
  conformance(() => ({
    makeStore: () => new MemoryStore(memory),
    advance: (ms) => clock.advance(ms),
    turnBack: (ms) => clock.turnBack(ms),
    failOver: () => memory.failOver(),
  }));
});

describe('RedisStore', () => {
  let redis: VirtualRedis;

  beforeAll(async () => {
    redis = await VirtualRedis.start();
  });

  afterAll(() => redis.stop());

  conformance(() => redis);
});
