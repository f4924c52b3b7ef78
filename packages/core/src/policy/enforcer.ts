import type { PolicyOptions, PolicySettings, Priority } from '../config/schema.ts';
import { resolvePolicy } from '../config/settings.ts';
import { RateLimiter } from '../limits/rate-limiter.ts';

/** What a policy is asked about. */
export interface Operation {
  /** HTTP method, where there is one. */
  method?: string | undefined;
  /** The caller says that the operation is safe to repeat, or that it is not. */
  idempotent?: boolean | undefined;
  /** The request carries an Idempotency-Key. */
  idempotencyKey?: boolean | undefined;
  /** How much the call matters. Default: what its target's settings say. */
  priority?: Priority | undefined;
}

type DenialReason = 'policy' | 'rate' | 'concurrency';

export type PolicyVerdict =
  | { readonly kind: 'allow' }
  /** Allowed, but it must not be repeated. */
  | { readonly kind: 'constrained'; readonly maxRetries: 0 }
  | {
      readonly kind: 'deny';
      readonly reason: DenialReason;
      readonly detail: string;
      readonly retryAfterMs: number;
    };

const ALLOW: PolicyVerdict = { kind: 'allow' };
const ONCE: PolicyVerdict = { kind: 'constrained', maxRetries: 0 };
const FULL: PolicyVerdict = {
  kind: 'deny',
  reason: 'concurrency',
  detail: 'too many calls in flight',
  retryAfterMs: 0,
};

/** Applies the declared rules of a target to one operation at a time. */
export class PolicyEnforcer {
  #settings: PolicySettings;
  #rate: RateLimiter | undefined;

  /**
   * @param options what differs from the defaults of `docs/settings.md`, section policy
   * @param now monotonic ms, from which the rate counts
   * @throws ConfigError for a wrong setting
   */
  constructor(options: PolicyOptions, now: number) {
    const settings = resolvePolicy(options);
    this.#settings = settings;
    this.#rate = settings.rate && new RateLimiter(settings.rate, now);
  }

  /** True when no rule can refuse anything. */
  get admitsAll(): boolean {
    const { deny, denyMethods, concurrency, rate } = this.#settings;
    return deny === undefined && denyMethods.length === 0 && concurrency === undefined && rate === undefined;
  }

  /** May this operation start, with `inFlight` others under way? An allowed one is counted by the rate. */
  check(operation: Operation, inFlight: number, now: number): PolicyVerdict {
    const verdict = this.checkRules(operation);
    return verdict.kind === 'deny' ? verdict : (this.checkCapacity(inFlight, now) ?? verdict);
  }

  /** The same without concurrency and rate, for a call that has its place already. */
  checkRules(operation: Operation): PolicyVerdict {
    const { deny, denyMethods } = this.#settings;
    const method = operation.method?.toUpperCase();
    if (deny !== undefined) return denied(deny);
    if (method !== undefined && denyMethods.includes(method)) return denied(`${method} is not allowed`);
    return this.mayRepeat(operation) ? ALLOW : ONCE;
  }

  /** Why there is no place for one more call; undefined: there is, and the rate has counted it. */
  checkCapacity(inFlight: number, now: number): PolicyVerdict | undefined {
    const { concurrency } = this.#settings;
    if (concurrency !== undefined && inFlight >= concurrency) return FULL;
    const waitMs = this.#rate?.take(now) ?? 0;
    if (waitMs === 0) return undefined;
    return { kind: 'deny', reason: 'rate', detail: 'too many calls', retryAfterMs: waitMs };
  }

  /** Takes a place for a call that will come soon; false when there is none. */
  reserve(inFlight: number, now: number): boolean {
    return this.#settings.deny === undefined && this.checkCapacity(inFlight, now) === undefined;
  }

  /** Is the operation safe to repeat: by the caller's word, its key, or its method? */
  mayRepeat({ idempotent, idempotencyKey, method }: Operation): boolean {
    if (idempotent !== undefined) return idempotent;
    if (idempotencyKey === true) return true;
    return method !== undefined && this.#settings.retryMethods.includes(method.toUpperCase());
  }

  /** Puts other rules in force. The rate keeps its count. */
  update(options: PolicyOptions, now: number): void {
    const settings = resolvePolicy(options);
    const { rate } = settings;
    if (rate === undefined || this.#rate === undefined) this.#rate = rate && new RateLimiter(rate, now);
    else this.#rate.update(rate, now);
    this.#settings = settings;
  }
}

function denied(detail: string): PolicyVerdict {
  return { kind: 'deny', reason: 'policy', detail, retryAfterMs: 0 };
}
