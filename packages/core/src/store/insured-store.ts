import { StoreError } from '../errors.ts';
import type { Clock } from '../time/clock.ts';
import {
  checkClaim,
  checkForce,
  checkHeartbeat,
  checkNews,
  checkSnapshot,
  checkVerdict,
  checkViews,
} from './replies.ts';
import type {
  Claim,
  ClaimReply,
  FleetNews,
  FleetView,
  Force,
  ForceReply,
  Heartbeat,
  Report,
  Seed,
  Snapshot,
  Store,
  Verdict,
  VerdictReply,
} from './store.ts';

/** Away: a write has failed, and none has succeeded for this long since. */
const AWAY_AFTER_MS = 1_200;
/** A store that has not answered after this time has failed. */
const LONGEST_WRITE_MS = 2_500;
/** A reader that has not come back so long after its wait has failed. */
const READ_GRACE_MS = 5_000;

/** How the store is doing, as seen from here. */
export interface StoreStatus {
  readonly state: 'starting' | 'connected' | 'away';
  /** What the last failure said; kept when the store is back. */
  readonly lastError: string | undefined;
  readonly failures: number;
}

/** Any store, so that its failures are nobody's: a call that fails, or whose reply is no reply, yields undefined. */
export class InsuredStore {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #onChange: (status: StoreStatus) => void;
  #state: StoreStatus['state'] = 'starting';
  #lastError: string | undefined;
  #failures = 0;
  /** When the first write failed since the last that succeeded. */
  #failingSince: number | undefined;

  constructor(store: Store, clock: Clock, onChange: (status: StoreStatus) => void) {
    this.#store = store;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  get status(): StoreStatus {
    return { state: this.#state, lastError: this.#lastError, failures: this.#failures };
  }

  get away(): boolean {
    return this.#state === 'away';
  }

  /** Notices a store that went away: called now and then, since nothing else may happen. */
  look(): void {
    const since = this.#failingSince;
    if (since !== undefined && this.#clock.now() - since >= AWAY_AFTER_MS) this.#become('away');
  }

  heartbeat(replica: string): Promise<Heartbeat | undefined> {
    return this.#write(() => this.#store.heartbeat(replica), checkHeartbeat);
  }

  report(replica: string, reports: readonly Report[]): Promise<readonly FleetView[] | undefined> {
    return this.#write(() => this.#store.report(replica, reports), checkViews(reports.length));
  }

  claim(replica: string, claim: Claim): Promise<ClaimReply | undefined> {
    return this.#write(() => this.#store.claim(replica, claim), checkClaim);
  }

  renew(replica: string, claim: Claim): Promise<ClaimReply | undefined> {
    return this.#write(() => this.#store.renew(replica, claim), checkClaim);
  }

  settle(replica: string, verdict: Verdict): Promise<VerdictReply | undefined> {
    return this.#write(() => this.#store.settle(replica, verdict), checkVerdict);
  }

  seed(replica: string, seeds: readonly Seed[]): Promise<readonly FleetView[] | undefined> {
    return this.#write(() => this.#store.seed(replica, seeds), checkViews(seeds.length));
  }

  force(replica: string, force: Force): Promise<ForceReply | undefined> {
    return this.#write(() => this.#store.force(replica, force), checkForce);
  }

  snapshot(targets: readonly string[]): Promise<Snapshot | undefined> {
    return this.#try(() => this.#store.snapshot(targets), checkSnapshot, LONGEST_WRITE_MS);
  }

  read(cursor: string, waitMs: number, signal: AbortSignal): Promise<FleetNews | undefined> {
    return this.#try(() => this.#store.read(cursor, waitMs, signal), checkNews, waitMs + READ_GRACE_MS);
  }

  async close(replica: string): Promise<void> {
    await this.#try(() => this.#store.leave(replica), Boolean, LONGEST_WRITE_MS);
    await this.#try(() => this.#store.close(), Boolean, LONGEST_WRITE_MS);
  }

  /** Only a write tells whether the store is there: a store that answers reads may take none. */
  async #write<T>(call: () => Promise<T>, check: (reply: T) => unknown): Promise<T | undefined> {
    const began = this.#clock.now();
    const reply = await this.#try(call, check, LONGEST_WRITE_MS);
    if (reply !== undefined) {
      this.#failingSince = undefined;
      this.#become('connected');
    } else {
      this.#failingSince ??= began;
      this.look();
    }
    return reply;
  }

  async #try<T>(
    call: () => Promise<T>,
    check: (reply: T) => unknown,
    longestMs: number,
  ): Promise<T | undefined> {
    try {
      const reply = await this.#within(longestMs, call());
      check(reply);
      return reply;
    } catch (error) {
      this.#failures++;
      this.#lastError = error instanceof Error ? error.message : String(error);
      return undefined;
    }
  }

  #within<T>(longestMs: number, answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new StoreError('timeout', 'the store did not answer'));
      const timer = this.#clock.setTimer(late, longestMs);
      answer.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  #become(state: StoreStatus['state']): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#onChange(this.status);
  }
}
