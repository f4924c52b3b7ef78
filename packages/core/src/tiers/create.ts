import type { CircuitBreaker } from '../circuit/breaker.ts';
import type { TargetOptions, TargetSettings } from '../config/schema.ts';
import { resolveTarget } from '../config/settings.ts';
import { kindOf } from '../config/target-name.ts';
import { addToLadder, isTierName, OWN_TIERS, type TierName, tierLadder } from '../config/tier-names.ts';
import { ConfigError } from '../errors.ts';
import { HealthMonitor } from '../health/monitor.ts';
import { StrategyEffects } from '../recovery/effects.ts';
import { RecoveryRegistry } from '../recovery/registry.ts';
import type { SelfHealing } from '../self-healing.ts';
import { IncidentLog } from '../telemetry/incidents.ts';
import { systemClock } from '../time/clock.ts';
import { systemRandom } from '../time/random.ts';
import { BasicTier, type HealingParts } from './basic.ts';

/** Makes the healing of one target. Given back to the runtime, which calls its methods. */
export type MakeTier = (parts: HealingParts, settings: TargetSettings) => SelfHealing;

/** Every tier by its name. */
const tiers = new Map<TierName, MakeTier>([['basic', (parts, settings) => new BasicTier(parts, settings)]]);

const METHODS = [
  'detectAnomaly',
  'selectResponse',
  'applyResponse',
  'verifyRecovery',
  'learnFromIncident',
  'getHealthStatus',
] as const satisfies readonly (keyof SelfHealing)[];

export interface RegisterTierOptions {
  /** The tier that it stands right above, for those that move by need. Default: the highest. */
  above?: TierName | undefined;
}

/**
 * Gives a tier of one's own a name, for the setting `tier` and for `createSelfHealing`. It stays for as long as the
 * process.
 *
 * @param make makes the healing of one target. If it throws, or what it makes lacks one of the six methods, a runtime
 * tells of it once and heals the target by the basic tier
 * @throws ConfigError for a name that is taken or is one of healix's own, and for something that is no function
 */
export function registerTier(name: string, make: MakeTier, { above }: RegisterTierOptions = {}): void {
  if (typeof name !== 'string' || name === '') throw new ConfigError('tier', name, 'a name');
  if (isTierName(name) || (OWN_TIERS as readonly string[]).includes(name)) {
    throw new ConfigError('tier', name, 'a name that no other tier has');
  }
  if (typeof make !== 'function') throw new ConfigError('make', make, 'a function');
  if (above !== undefined && !isTierName(above)) throw new ConfigError('above', above, tierLadder.join(', '));
  tiers.set(name, make);
  addToLadder(name, above ?? (tierLadder.at(-1) as TierName));
}

/** The parts that somebody brings to a tier of their own; what is missing is made. */
export type OwnParts = Partial<HealingParts> & { readonly name: string; readonly breaker: CircuitBreaker };

/**
 * Makes the healing of one thing, without a runtime: whoever makes it calls its six methods.
 *
 * @param settings what differs from the defaults of `docs/settings.md`
 * @throws ConfigError for an unknown tier or a wrong setting
 */
export function createSelfHealing(
  tier: TierName,
  parts: OwnParts,
  settings: TargetOptions = {},
): SelfHealing {
  if (!isTierName(tier)) throw new ConfigError('tier', tier, tierLadder.join(', '));
  if (typeof parts?.name !== 'string') throw new ConfigError('parts.name', parts?.name, 'a name');
  if (typeof parts.breaker?.stateAt !== 'function') {
    throw new ConfigError('parts.breaker', parts.breaker, 'a CircuitBreaker');
  }
  const whole: HealingParts = {
    kind: kindOf(parts.name),
    monitor: new HealthMonitor(),
    registry: new RecoveryRegistry(),
    incidents: new IncidentLog(systemRandom),
    effects: new StrategyEffects(),
    clock: systemClock,
    ...parts,
  };
  return makeTier(whole, resolveTarget([settings, { tier }], 'settings'));
}

/**
 * For the runtime, whose settings are resolved and whose parts are complete.
 *
 * @throws ConfigError where what a registered tier has made lacks a method; and what `make` throws
 */
export function makeTier(parts: HealingParts, settings: TargetSettings): SelfHealing {
  const { tier } = settings;
  const healing = (tiers.get(tier) as MakeTier)(parts, settings);
  for (const method of METHODS) {
    const given = (healing as SelfHealing | undefined)?.[method];
    if (typeof given !== 'function') throw new ConfigError(`${tier}.${method}`, given, 'a method');
  }
  return healing;
}
