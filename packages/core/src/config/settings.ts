import { ConfigError } from '../errors.ts';
import { presetOf } from './profiles.ts';
import {
  type CircuitOptions,
  type CircuitSettings,
  circuitSchema,
  type OutlierOptions,
  type OutlierSettings,
  outlierSchema,
  type PolicyOptions,
  type PolicySettings,
  policySchema,
  type RateOptions,
  type RateSettings,
  type RetryBudgetOptions,
  type RetrySettings,
  rateSchema,
  retrySchema,
  type TargetOptions,
  type TargetSettings,
  targetSchema,
} from './schema.ts';
import { startOf } from './tier-schema.ts';
import { validate } from './validate.ts';

const SHORTEST_MAX_OPEN_MS = 2_000;
const OUTBOUND_TIMEOUT_MS = 10_000;

/** Where settings come from before the user says anything: an upstream's calls end after 10 s. */
export const KIND_DEFAULTS = {
  route: { profile: 'api' },
  upstream: { profile: 'external', timeoutMs: OUTBOUND_TIMEOUT_MS },
} as const;

/** Checks what a user wrote without filling anything in, so that it can be laid over other settings. */
export function checkTargetOptions(options: unknown, path: string): TargetOptions {
  validate(targetSchema, options, path);
  const { circuit = {}, hosts = [] } = options as TargetOptions;
  checkCircuit(circuit, `${path}.circuit`);
  checkHosts(hosts, `${path}.hosts`);
  return options as TargetOptions;
}

/**
 * Lays options over each other, the later the stronger, and fills in what none of them says: first from the preset of
 * the profile.
 */
export function resolveTarget(layers: readonly TargetOptions[], path: string): TargetSettings {
  const said = layers.reduce<Record<string, unknown>>((under, over) => mergeOptions(under, over), {});
  const { profile } = validate(targetSchema, said, path);
  const merged = profile === undefined ? said : mergeOptions({ ...presetOf(profile) }, said);
  const parsed = validate(targetSchema, merged, path);
  const given = (merged.circuit ?? {}) as CircuitOptions;
  checkCircuit(given, `${path}.circuit`);
  const settings = deepFreeze({
    ...parsed,
    tier: startOf(parsed.tier),
    tierRange: typeof parsed.tier === 'string' ? undefined : parsed.tier,
    circuit: completeCircuit(parsed.circuit, given),
  });
  const { circuit, retry, policy, outlier } = settings;
  for (const part of [circuit, retry, policy, policy.rate, outlier]) {
    if (part !== undefined) resolved.add(part);
  }
  return settings;
}

/** Parts of settings that were resolved: a part that is given them does not check them again. */
const resolved = new WeakSet<object>();

/** Settings of a circuit that may stand alone. */
export function resolveCircuit(options: CircuitOptions): CircuitSettings {
  if (resolved.has(options)) return options as CircuitSettings;
  const parsed = validate(circuitSchema, options, 'circuit');
  checkCircuit(options, 'circuit');
  return deepFreeze(completeCircuit(parsed, options));
}

/** Settings of a policy that may stand alone. */
export function resolvePolicy(options: PolicyOptions): PolicySettings {
  if (resolved.has(options)) return options as PolicySettings;
  const policy = deepFreeze(validate(policySchema, options, 'policy'));
  if (policy.rate !== undefined) resolved.add(policy.rate);
  return policy;
}

/** Settings of a rate that may stand alone. */
export function resolveRate(options: RateOptions): RateSettings {
  return resolved.has(options)
    ? (options as RateSettings)
    : deepFreeze(validate(rateSchema, options, 'rate'));
}

/** Settings of outlier ejection that may stand alone. */
export function resolveOutlier(options: OutlierOptions): OutlierSettings {
  return resolved.has(options)
    ? (options as OutlierSettings)
    : deepFreeze(validate(outlierSchema, options, 'outlier'));
}

type BudgetSettings = Pick<RetrySettings, 'budget' | 'budgetPerSecond'>;
const budgetSchema = retrySchema.pick({ budget: true, budgetPerSecond: true });

/** Settings of a retry budget that may stand alone. */
export function resolveBudget(options: RetryBudgetOptions): BudgetSettings {
  return resolved.has(options) ? (options as RetrySettings) : validate(budgetSchema, options, 'budget');
}

/** Lays `over` on `under`: objects merge, undefined says nothing, all else replaces. */
export function mergeOptions(
  under: Readonly<Record<string, unknown>>,
  over: object,
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const below = merged[key];
    merged[key] = isPlainObject(value) ? mergeOptions(isPlainObject(below) ? below : {}, value) : value;
  }
  return merged;
}

/** `options` without what is null in them. */
export function withoutNulls(options: object): Record<string, unknown> {
  const kept = Object.entries(options).filter(([, value]) => value !== null);
  return Object.fromEntries(
    kept.map(([key, value]) => [key, isPlainObject(value) ? withoutNulls(value) : value]),
  );
}

type ParsedCircuit = Omit<CircuitSettings, 'maxOpenMs'> & { maxOpenMs?: number | undefined };

/** Defaults that depend on other settings. */
function completeCircuit(parsed: ParsedCircuit, given: CircuitOptions): CircuitSettings {
  const { openMs, windowCalls = Number.POSITIVE_INFINITY } = parsed;
  const maxOpenMs = parsed.maxOpenMs ?? Math.max(SHORTEST_MAX_OPEN_MS, openMs);
  const minimumCalls = given.minimumCalls ?? Math.min(parsed.minimumCalls, windowCalls);
  const settings: CircuitSettings = { ...parsed, maxOpenMs, minimumCalls };
  resolved.add(settings);
  return settings;
}

/** Settings that do not go together. */
function checkCircuit({ openMs, maxOpenMs, windowCalls, minimumCalls }: CircuitOptions, path: string): void {
  if (maxOpenMs !== undefined && openMs !== undefined && maxOpenMs < openMs) {
    throw new ConfigError(`${path}.maxOpenMs`, maxOpenMs, `at least openMs (${openMs})`);
  }
  if (windowCalls !== undefined && minimumCalls !== undefined && minimumCalls > windowCalls) {
    throw new ConfigError(`${path}.minimumCalls`, minimumCalls, `at most windowCalls (${windowCalls})`);
  }
}

function checkHosts(hosts: readonly string[], path: string): void {
  const twice = hosts.find((host, index) => hosts.indexOf(host) !== index);
  if (twice !== undefined) throw new ConfigError(path, twice, 'each host once');
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value))
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  return Object.freeze(value);
}
