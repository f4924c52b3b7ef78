// A process of its own that calls targets, with its circuits shared or not, so that its CPU time is told apart.
import { createHealing, FleetMemory, type HealingOptions, MemoryStore } from '@healix/core';
import { answerParent } from '../overhead/measured-process.ts';

/** Calls between two turns of the event loop, so that the coarse clock moves and the fleet has its turns. */
const CHUNK = 1_000;
const TARGETS = 20;

const [way, sharing, redis, callsARequest] = process.argv.slice(2) as [string, string, string, string];
const service = 'request-path';
const stores: Record<string, HealingOptions> = {
  none: {},
  memory: { store: new MemoryStore(new FleetMemory()), service },
  redis: { redis, service },
};
const runtime = createHealing({ shared: false, ...stores[sharing] });
const targets = Array.from({ length: TARGETS }, (_, i) => runtime.target(`upstream:target-${i}`));
const answer = async () => 1;

const ways: Record<string, (calls: number) => Promise<void>> = {
  'acquire/release': async (calls) => {
    for (let i = 0; i < calls; i++) {
      const target = targets[i % TARGETS]!;
      const permit = target.acquire();
      if (!permit.ok) throw permit.toError();
      await answer();
      target.release(permit, 'success');
    }
  },
  run: async (calls) => {
    for (let i = 0; i < calls; i++) await targets[i % TARGETS]!.run(answer);
  },
};
const call = ways[way]!;

answerParent(0, async (requests) => {
  for (let left = requests * Number(callsARequest); left > 0; left -= CHUNK) {
    await call(CHUNK);
    await new Promise(setImmediate);
  }
  return requests;
});
