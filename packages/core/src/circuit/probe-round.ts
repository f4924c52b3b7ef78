import type { ProbeVerdict, Trial } from './trial.ts';

interface Lease {
  readonly token: number;
  readonly endsAt: number;
  /** What had been lost when it was granted. */
  readonly lostMs: number;
}

/**
 * One trial of a half-open circuit: at most `size` probes, each under a lease. A probe that ends without a
 * verdict of its own gives its place back; one whose lease runs out has failed, and what it says later is
 * not heard. A lease stands still while this process does.
 */
export class ProbeRound implements Trial {
  readonly size: number;
  readonly #leaseMs: number;
  readonly #lostMs: () => number;
  readonly #leases: Lease[] = [];
  #succeeded = 0;
  #failed = 0;
  /** When the last lease that ran out did so. */
  lastExpiry = Number.NEGATIVE_INFINITY;

  /** @param lostMs ms for which nothing in this process could run, in all */
  constructor(size: number, leaseMs: number, lostMs: () => number) {
    this.size = size;
    this.#leaseMs = leaseMs;
    this.#lostMs = lostMs;
  }

  /** Probes that may still be sent. */
  freeAt(): number {
    return this.size - this.#succeeded - this.#failed - this.#leases.length;
  }

  get decision(): 'close' | 'reopen' | undefined {
    const needed = Math.floor(this.size / 2) + 1;
    if (this.#succeeded >= needed) return 'close';
    return this.#failed > this.size - needed ? 'reopen' : undefined;
  }

  grant(token: number, now: number): boolean {
    if (this.freeAt() <= 0) return false;
    this.#leases.push({ token, endsAt: now + this.#leaseMs, lostMs: this.#lostMs() });
    return true;
  }

  /** Books a probe's verdict; false when the token holds no lease. */
  settle(token: number, verdict: ProbeVerdict): boolean {
    const at = this.#leases.findIndex((lease) => lease.token === token);
    if (at < 0) return false;
    this.#leases.splice(at, 1);
    if (verdict === 'succeeded') this.#succeeded++;
    else if (verdict === 'failed') this.#failed++;
    return true;
  }

  holds(token: number): boolean {
    return this.#leases.some((lease) => lease.token === token);
  }

  expire(now: number): void {
    for (let at = this.#leases.length - 1; at >= 0; at--) {
      const endsAt = this.#endOf(this.#leases[at] as Lease);
      if (endsAt > now) continue;
      this.#leases.splice(at, 1);
      this.#failed++;
      this.lastExpiry = Math.max(this.lastExpiry, endsAt);
    }
  }

  /** Ms until a place may come free. */
  waitMs(now: number): number {
    let soonest = Number.POSITIVE_INFINITY;
    for (const lease of this.#leases) soonest = Math.min(soonest, this.#endOf(lease) - now);
    return soonest === Number.POSITIVE_INFINITY ? 0 : Math.max(0, soonest);
  }

  #endOf({ endsAt, lostMs }: Lease): number {
    return endsAt + this.#lostMs() - lostMs;
  }
}
