import { Healing, type HealingOptions } from './healing.ts';
import { seededRandom } from './time/random.ts';
import { VirtualClock } from './time/virtual-clock.ts';

export { storeConformance } from './store/conformance/store-conformance.ts';
export type { StoreCase, StoreSubject } from './store/conformance/subject.ts';
export { FleetMemory } from './store/memory/fleet-memory.ts';
export { MemoryStore } from './store/memory/memory-store.ts';
export type {
  Claim,
  ClaimReply,
  FleetEntry,
  FleetNews,
  FleetView,
  Force,
  ForceReply,
  Heartbeat,
  OpenTerms,
  Report,
  Seed,
  Snapshot,
  Store,
  TripTerms,
  Verdict,
  VerdictReply,
} from './store/store.ts';
export { seededRandom } from './time/random.ts';
export { SteadyClock } from './time/steady-clock.ts';
export { VirtualClock } from './time/virtual-clock.ts';

export interface TestHealingOptions extends Omit<HealingOptions, 'clock' | 'random' | 'shared'> {
  /** Where the random sequence starts. Default: 1. */
  seed?: number;
}

/** A runtime of its own in virtual time, with seeded randomness. @throws ConfigError for a wrong setting */
export function createTestHealing({ seed = 1, ...options }: TestHealingOptions = {}): {
  runtime: Healing;
  clock: VirtualClock;
} {
  const clock = new VirtualClock();
  return { runtime: new Healing({ ...options, shared: false, clock, random: seededRandom(seed) }), clock };
}
