import type { CircuitBreaker } from '../circuit/breaker.ts';
import type { TargetOptions, TargetSettings } from '../config/schema.ts';
import { resolveTarget } from '../config/settings.ts';
import { kindOf } from '../config/target-name.ts';
import { ConfigError } from '../errors.ts';
import { HealthMonitor } from '../health/monitor.ts';
import { RecoveryRegistry } from '../recovery/registry.ts';
import type { SelfHealing } from '../self-healing.ts';
import { IncidentLog } from '../telemetry/incidents.ts';
import { systemClock } from '../time/clock.ts';
import { systemRandom } from '../time/random.ts';
import { BasicTier, type HealingParts } from './basic.ts';

type MakeTier = (parts: HealingParts, settings: TargetSettings) => SelfHealing;

/** Every tier by its name. */
const tiers = { basic: (parts, settings) => new BasicTier(parts, settings) } satisfies Record<
  string,
  MakeTier
>;

export type TierName = keyof typeof tiers;

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
  if (!Object.hasOwn(tiers, tier)) throw new ConfigError('tier', tier, Object.keys(tiers).join(', '));
  if (typeof parts?.name !== 'string') throw new ConfigError('parts.name', parts?.name, 'a name');
  if (typeof parts.breaker?.stateAt !== 'function') {
    throw new ConfigError('parts.breaker', parts.breaker, 'a CircuitBreaker');
  }
  const whole: HealingParts = {
    kind: kindOf(parts.name),
    monitor: new HealthMonitor(),
    registry: new RecoveryRegistry(),
    incidents: new IncidentLog(systemRandom),
    clock: systemClock,
    ...parts,
  };
  return tiers[tier](whole, resolveTarget([settings], 'settings'));
}

/** For the runtime, whose settings are resolved and whose parts are complete. */
export function makeTier(parts: HealingParts, settings: TargetSettings): SelfHealing {
  return tiers[settings.tier](parts, settings);
}
