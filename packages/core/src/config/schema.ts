import { z } from 'zod';
import type { TierName } from './tier-names.ts';
import { type TierRange, tierSchema } from './tier-schema.ts';

const METHOD = /^[A-Z][A-Z-]*$/;

const ms = (min: number, max: number) => z.number().min(min).max(max);
const share = () => z.number().min(0).max(1);
const count = (min: number, max: number) => z.int().min(min).max(max);
const methods = () => z.array(z.string().regex(METHOD).describe('an HTTP method in capitals, such as GET'));

export const circuitSchema = z.strictObject({
  failureRate: z
    .number()
    .gt(0)
    .max(1)
    .default(0.5)
    .describe('Share of failed calls in the window that opens the circuit.'),
  slowCallRate: z
    .number()
    .gt(0)
    .max(1)
    .default(0.8)
    .describe(
      'Share of slow calls in the window that opens the circuit; judged only where `slowCallMs` is set.',
    ),
  slowCallMs: ms(1, 600_000).optional().describe('A call that takes longer is slow. Without it no call is.'),
  windowMs: ms(100, 3_600_000)
    .default(10_000)
    .describe('Length of the time window that the rates are taken over.'),
  windowCalls: count(1, 100_000)
    .optional()
    .describe('Take the rates over this many last calls instead of over a time.'),
  minimumCalls: count(1, 100_000)
    .default(20)
    .describe(
      'Fewer calls in the window than this say nothing about a rate. Default: 20, or `windowCalls` where that is less.',
    ),
  consecutiveFailures: count(1, 1_000)
    .default(5)
    .describe(
      'Failures in a row that open the circuit while the window holds fewer than `minimumCalls`; with more traffic it takes four times as many (and `minimumCalls` at least).',
    ),
  consecutiveWithinMs: ms(100, 86_400_000)
    .default(60_000)
    .describe('Those failures in a row count only within this time.'),
  openMs: ms(1, 3_600_000)
    .default(1_000)
    .describe(
      'How long the circuit stays open at first. Doubles, with jitter, each time that the probes fail.',
    ),
  maxOpenMs: ms(1, 3_600_000)
    .optional()
    .describe(
      'The longest that it stays open; with jitter, a fifth less at most. Default: 2000, or `openMs` where that is longer.',
    ),
  probes: count(1, 50)
    .default(3)
    .describe(
      'Calls that are let through to try a half-open circuit. It closes when more than half of them succeed.',
    ),
  probeTimeoutMs: ms(1, 600_000)
    .default(1_000)
    .describe(
      'A probe without an answer after this time has failed. Doubles with each failed trial, up to `timeoutMs` (30 s without one), so that a slow service can close again.',
    ),
  rampMs: ms(0, 600_000)
    .default(1_000)
    .describe('After closing, traffic is let back in step by step over this time.'),
});

export const retrySchema = z.strictObject({
  maxRetries: count(0, 10)
    .default(2)
    .describe('Repeats beyond the first attempt, of calls that are safe to repeat.'),
  budget: share().default(0.2).describe('Repeats allowed as a share of the calls of the last 10 s.'),
  budgetPerSecond: z
    .number()
    .min(0)
    .max(10_000)
    .default(1)
    .describe('Repeats a second that are allowed however few the calls.'),
  baseDelayMs: ms(0, 60_000)
    .default(25)
    .describe('Upper bound of the random wait before the first repeat; doubles with each (full jitter).'),
  maxDelayMs: ms(0, 60_000).default(1_000).describe('The longest random wait.'),
  maxRetryAfterMs: ms(0, 60_000)
    .default(5_000)
    .describe('A Retry-After up to this is waited for; with a longer one the answer is returned as it is.'),
});

export const rateSchema = z.strictObject({
  calls: z.number().gt(0).max(1e9).describe('Calls allowed in `perMs`.'),
  perMs: ms(1, 86_400_000).default(1_000).describe('The time that `calls` are allowed in.'),
  burst: z
    .number()
    .min(1)
    .max(1e9)
    .optional()
    .describe('Calls that may come at once. Default: `calls`, at least 1.'),
});

export const policySchema = z.strictObject({
  deny: z.string().min(1).optional().describe('Refuses every call, for this reason.'),
  denyMethods: methods().default([]).describe('HTTP methods that are refused.'),
  denyStatus: count(400, 599).default(403).describe('HTTP status of a denial.'),
  retryMethods: methods()
    .default(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])
    .describe('HTTP methods that are safe to repeat; others are, with an Idempotency-Key.'),
  concurrency: count(1, 1_000_000)
    .optional()
    .describe('Calls in flight at once (a bulkhead); more are refused.'),
  rate: rateSchema.optional().describe('A limit on calls over time; more are refused with 429.'),
  neverOpen: z.boolean().default(false).describe('The circuit never opens by itself; all else goes on.'),
});

/** What a reset is about. */
export interface ResetCause {
  readonly target: string;
  readonly incidentId: string;
}

/**
 * Resets something of the user's. A function that it returns, or resolves to, is called when health has returned and
 * the level is undone.
 */
export type ResetHook = (cause: ResetCause) => unknown;

const recoverySchema = z.strictObject({
  proveMs: ms(10, 3_600_000)
    .default(2_000)
    .describe('Time that a recovery level has to prove itself before the next one is climbed.'),
  calmMs: ms(10, 3_600_000)
    .default(1_000)
    .describe('Health must last this long before an incident counts as recovered.'),
  escalateAfterMs: ms(0, 86_400_000)
    .default(10_000)
    .describe('An incident that has lasted this long may be escalated to a person (level 6).'),
  maxLevel: count(0, 6).default(6).describe('The highest recovery level that may be climbed.'),
  anomalyRate: z
    .number()
    .gt(0)
    .max(1)
    .default(0.1)
    .describe('Share of failed (or of slow) calls from which on a target is not well.'),
  anomalyCalls: count(1, 100_000)
    .default(10)
    .describe('Fewer calls in the window than this say nothing about it.'),
  rootCause: z
    .boolean()
    .optional()
    .describe(
      'Whether the failures of a route that come of what it calls are put down to that, and leave its own circuit alone. Default: from the advanced tier on.',
    ),
  preferFallback: z
    .boolean()
    .default(false)
    .describe('A call that has a fallback takes it at its first failure instead of being repeated.'),
  reset: z
    .custom<ResetHook>((value) => typeof value === 'function')
    .describe('a function')
    .optional()
    .describe('Brings what is behind the target back to a known state (recovery level 5); see recovery.md.'),
  saturation: z
    .number()
    .gt(0)
    .max(1)
    .default(0.9)
    .describe('Share of `policy.concurrency` in flight from which on a target is saturated.'),
});

export const outlierSchema = z.strictObject({
  failures: count(1, 100)
    .default(5)
    .describe(
      'Failures in a row that eject a host while its peers answer; more, where its peers fail so often that chance would do it.',
    ),
  failureRate: z
    .number()
    .gt(0)
    .max(1)
    .default(0.1)
    .describe(
      'A host is ejected when its share of failed calls is certainly so much above that of its peers.',
    ),
  slowFactor: z
    .number()
    .min(1.5)
    .max(1_000)
    .default(5)
    .describe('A host whose calls take so many times as long as those of its peers is ejected.'),
  hangMs: ms(1, 600_000)
    .optional()
    .describe(
      'A host is ejected when its calls have no answer for this long while its peers answer. Default: ten times what calls of its peers take, at least 250.',
    ),
  minimumCalls: count(1, 100_000)
    .default(10)
    .describe('Fewer calls of a host than this say nothing about its rate of failures, or its latency.'),
  ejectMs: ms(1, 3_600_000)
    .default(1_000)
    .describe(
      'How long a host is left out at first, a fifth more or less. Doubles with each ejection, and is forgotten in 10 s of health a step.',
    ),
  maxEjectMs: ms(1, 3_600_000)
    .default(4_000)
    .describe('The longest that it is left out before it is tried again; `ejectMs` where that is longer.'),
  maxEjectedShare: share()
    .default(0.5)
    .describe('At most this share of the hosts is left out at once, but one of them always may be; 0: none.'),
  panicShare: share()
    .default(0.5)
    .describe('When more than this share of the hosts is bad, all are used: what all have is no outlier.'),
  slowStartMs: ms(0, 3_600_000)
    .default(2_000)
    .describe('A host that comes back gets its share of the traffic little by little over this time.'),
});

/** How much a call matters, the most first. */
export const PRIORITIES = ['critical', 'high', 'normal', 'low'] as const;

/** How much a call matters. */
export type Priority = (typeof PRIORITIES)[number];

export function isPriority(value: unknown): value is Priority {
  return PRIORITIES.includes(value as Priority);
}

/** What a person holds a circuit in. */
export type ForcedState = 'open' | 'closed' | null;

/** What one call came to. */
export type Outcome = 'success' | 'failure' | 'overload' | 'ignored';

/**
 * Says what a call came to: its result, or the error that it threw. If it throws itself, the call counts as
 * if there were no classifier, and the runtime reports it once.
 */
// biome-ignore lint/suspicious/noExplicitAny: a classifier is written for the results of its own target
export type Classify = (result: any, error: unknown) => Outcome;

const classifySchema = z.custom<Classify>((value) => typeof value === 'function').describe('a function');

/** Kinds of components that there are presets for. */
export const PROFILE_NAMES = ['ui', 'api', 'worker', 'external', 'core-service', 'pipeline'] as const;

export type ProfileName = (typeof PROFILE_NAMES)[number];

export const targetSchema = z.strictObject({
  tier: tierSchema
    .default('basic')
    .describe(
      'How much healing the target gets: always the same, or moved by need between a floor and a ceiling. Default: that of its profile.',
    ),
  profile: z
    .enum(PROFILE_NAMES)
    .optional()
    .describe(
      'What kind of component it is: a preset of settings, see tiers.md. Default: api for routes, external for upstreams.',
    ),
  fleet: z
    .boolean()
    .optional()
    .describe(
      'Whether replicas share the circuit. Default: true for upstreams, false for routes. Needs `redis` or `store`.',
    ),
  exempt: z.boolean().default(false).describe('Measured, never refused, outside all limits.'),
  timeoutMs: ms(1, 86_400_000)
    .optional()
    .describe('Longest time of one attempt. Default: 10000 for upstreams, none for routes.'),
  deadlineMs: ms(1, 86_400_000)
    .optional()
    .describe('Longest time of a whole call, repeats and waits included; a fallback has a second at least.'),
  priority: z
    .enum(PRIORITIES)
    .optional()
    .describe(
      'How much its calls matter. Default: normal; of an upstream, that of the request that it is called for.',
    ),
  propagate: z
    .boolean()
    .default(true)
    .describe(
      'Whether this upstream is told by headers how long its caller waits and how much the call matters, where the runtime sends that.',
    ),
  classify: classifySchema.optional().describe('Says what a call came to; see outcomes.md.'),
  circuit: circuitSchema.prefault({}),
  retry: retrySchema.prefault({}),
  policy: policySchema.prefault({}),
  recovery: recoverySchema.prefault({}),
  hosts: z
    .array(z.string().min(1).max(200).describe('a text of 1 to 200 characters'))
    .max(100)
    .optional()
    .describe(
      'The hosts that can answer, at most 100. Each call goes to one of them, a repeat to another; hosts.md.',
    ),
  outlier: outlierSchema.prefault({}),
});

export type CircuitOptions = z.input<typeof circuitSchema>;
export type RetryOptions = z.input<typeof retrySchema>;
export type PolicyOptions = z.input<typeof policySchema>;
export type RecoveryOptions = z.input<typeof recoverySchema>;
export type OutlierOptions = z.input<typeof outlierSchema>;
/** What bounds repeats, where a budget stands alone. */
export type RetryBudgetOptions = Pick<RetryOptions, 'budget' | 'budgetPerSecond'>;
export type RateOptions = z.input<typeof rateSchema>;
/** What a user may say of a target. Every setting has a default: `docs/settings.md`. */
export type TargetOptions = z.input<typeof targetSchema>;

type Update<T> = {
  [K in keyof T]?: (NonNullable<T[K]> extends Plain ? Update<NonNullable<T[K]>> : T[K]) | null | undefined;
};
type Plain = { readonly [key: string]: unknown };
/** Settings to change at run time. `null` takes back what an earlier update said. */
export type TargetUpdate = Update<TargetOptions>;

export type CircuitSettings = Readonly<z.output<typeof circuitSchema>> & { readonly maxOpenMs: number };
export type RetrySettings = Readonly<z.output<typeof retrySchema>>;
export type PolicySettings = Readonly<z.output<typeof policySchema>>;
export type RateSettings = Readonly<z.output<typeof rateSchema>>;
export type RecoverySettings = Readonly<z.output<typeof recoverySchema>>;
export type OutlierSettings = Readonly<z.output<typeof outlierSchema>>;

/** The settings of a target with nothing left open. Frozen: a change is a new object. */
export interface TargetSettings extends Readonly<Omit<z.output<typeof targetSchema>, 'circuit' | 'tier'>> {
  /** The tier in force. */
  readonly tier: TierName;
  /** Where the tier may move; undefined where it is fixed. */
  readonly tierRange: TierRange | undefined;
  readonly circuit: CircuitSettings;
  readonly retry: RetrySettings;
  readonly policy: PolicySettings;
  readonly recovery: RecoverySettings;
  readonly outlier: OutlierSettings;
}
