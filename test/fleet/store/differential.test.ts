import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { VirtualRedis } from '../harness/virtual-redis.ts';
import { steps } from './random-steps.ts';
import { Twins } from './twins.ts';

const RUNS = 100;
/** What must have come about so often at least, or the steps have tried nothing. */
const LEAST = {
  'told open': 100,
  'told closed': 40,
  asked: 100,
  'claim granted': 100,
  'settle true': 50,
  'settle false': 100,
  'renew granted': 5,
  'force true': 30,
  'force false': 2,
  seed: 100,
  snapshot: 30,
  heartbeat: 80,
};

let redis: VirtualRedis;

beforeAll(async () => {
  redis = await VirtualRedis.start();
});

afterAll(() => redis.stop());

// A failure tells fast-check's seed and path: give them to `fc.assert` beside `numRuns`.
test('memory and Redis answer alike, whatever replicas do and whenever', async () => {
  const seen = new Map<string, number>();
  const note = (event: string) => seen.set(event, (seen.get(event) ?? 0) + 1);
  const property = fc.asyncProperty(steps, (taken) => new Twins(redis, note).run(taken));
  await fc.assert(property, { numRuns: RUNS });
  for (const [event, least] of Object.entries(LEAST)) {
    expect(seen.get(event) ?? 0, event).toBeGreaterThan(least);
  }
});
