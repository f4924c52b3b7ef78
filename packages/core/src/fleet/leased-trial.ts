import type { ProbeVerdict, Trial } from '../circuit/trial.ts';

/** The right to send one probe, given by the fleet. Times are monotonic ms. */
export interface Lease {
  /** The fleet's name for it. */
  readonly token: string;
  readonly epochId: string;
  readonly usableFrom: number;
  readonly usableUntil: number;
  readonly endsAt: number;
  /** How long the probe may take. */
  readonly timeoutMs: number;
}

interface Probe {
  readonly lease: Lease;
  readonly failsAt: number;
}

/** Tries a circuit with the probes that the fleet has granted. What follows from their verdicts is the fleet's word. */
export class LeasedTrial implements Trial {
  readonly decision = undefined;
  readonly lastExpiry = Number.NEGATIVE_INFINITY;
  readonly #onVerdict: (lease: Lease, verdict: ProbeVerdict) => void;
  readonly #retryMs: number;
  readonly #probes = new Map<number, Probe>();
  /** A lease that no call has taken yet. */
  lease: Lease | undefined;

  /** @param retryMs how long a refused caller is told to wait */
  constructor(retryMs: number, onVerdict: (lease: Lease, verdict: ProbeVerdict) => void) {
    this.#retryMs = retryMs;
    this.#onVerdict = onVerdict;
  }

  /** True while a probe is under way. */
  get busy(): boolean {
    return this.#probes.size > 0;
  }

  /** Another epoch has begun: nothing of the one before counts. */
  clear(): void {
    this.lease = undefined;
    this.#probes.clear();
  }

  freeAt(now: number): number {
    const { lease } = this;
    return lease !== undefined && now >= lease.usableFrom && now <= lease.usableUntil ? 1 : 0;
  }

  grant(token: number, now: number): boolean {
    const { lease } = this;
    if (lease === undefined || this.freeAt(now) === 0) return false;
    this.#probes.set(token, { lease, failsAt: now + lease.timeoutMs });
    this.lease = undefined;
    return true;
  }

  settle(token: number, verdict: ProbeVerdict): boolean {
    const probe = this.#probes.get(token);
    if (probe === undefined) return false;
    this.#probes.delete(token);
    this.#onVerdict(probe.lease, verdict);
    return true;
  }

  holds(token: number): boolean {
    return this.#probes.has(token);
  }

  /** Leases are ended by whoever tells the fleet: `failOverdue`. */
  expire(): void {}

  /** Has the probes fail that have had no answer in time. */
  failOverdue(now: number): void {
    for (const [token, { failsAt }] of this.#probes) if (failsAt <= now) this.settle(token, 'failed');
  }

  waitMs(): number {
    return this.#retryMs;
  }
}
