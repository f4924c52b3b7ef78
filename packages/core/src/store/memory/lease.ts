/** The right to send one probe. */
export interface Lease {
  readonly replica: string;
  /** How long it may last from now on, or from when the target is due. */
  lastsMs: number;
  endsAt: number;
  /** `used`: it ended without a verdict. */
  state: 'held' | 'used' | 'settled';
}

/** The leases of one epoch, by token. */
export class Leases {
  readonly #byToken = new Map<string, Lease>();

  get(token: string): Lease | undefined {
    return this.#byToken.get(token);
  }

  grant(token: string, lease: Lease): void {
    this.#byToken.set(token, lease);
  }

  drop(token: string): void {
    this.#byToken.delete(token);
  }

  clear(): void {
    this.#byToken.clear();
  }

  /** Those that are over count as used. */
  expire(now: number): void {
    for (const lease of this.#byToken.values()) {
      if (lease.state === 'held' && lease.endsAt <= now) lease.state = 'used';
    }
  }

  /** None lasts longer from `from` on than it was granted for: the clock may have gone back. */
  shorten(from: number): void {
    for (const lease of this.#byToken.values()) lease.endsAt = Math.min(lease.endsAt, from + lease.lastsMs);
  }

  get anyHeld(): boolean {
    return this.#some(({ state }) => state === 'held');
  }

  /** Whether a replica has or has had one. */
  anyOf(replica: string): boolean {
    return this.#some((lease) => lease.replica === replica);
  }

  #some(is: (lease: Lease) => boolean): boolean {
    for (const lease of this.#byToken.values()) if (is(lease)) return true;
    return false;
  }
}
