import type { ProbeVerdict } from '../circuit/trial.ts';
import type { InsuredStore } from '../store/insured-store.ts';
import type { Claim, FleetView, Verdict } from '../store/store.ts';
import type { Clock } from '../time/clock.ts';
import type { Random } from '../time/random.ts';
import { type Lease, LeasedTrial } from './leased-trial.ts';
import { makeId, openTermsOf, type SharedTarget } from './shared-target.ts';
import { Vouching } from './vouching.ts';

/** A lease is claimed so long before an open target is due: half-open costs no caller a round trip. */
const CLAIM_AHEAD_MS = 250;
const CLAIM_JITTER_MS = 50;
/** So long after it is due each replica has one probe at most. */
const FAIR_MS = 250;
const CLAIM_AGAIN_MS = 150;
/** A probe that has said nothing, such as one whose answer does not count, is followed by none so soon. */
const UNUSED_AGAIN_MS = 500;
/** A lease for longer is none that a store may give. */
const LONGEST_PROBE_MS = 40_000_000;
const MARGIN_MS = 100;
const RENEW_AHEAD_MS = 300;
/** A lease can be used for so long at least, however short its probe: it is looked at every 100 ms or so. */
const USABLE_MS = 1_000;
/** A replica that has had no call for so long tries nothing. */
const TRAFFIC_MS = 600_000;
/** What refused callers are told to wait while the fleet tries the target. */
const RETRY_MS = 500;

const VERDICTS = { succeeded: 'ok', failed: 'fail', unused: 'unused' } as const;

interface Pending {
  readonly lease: Lease;
  readonly verdict: Verdict['verdict'];
}

/** One replica's part in trying a target that the fleet holds open: it claims leases, keeps them, and tells verdicts. */
export class Probing {
  readonly trial: LeasedTrial;
  readonly #vouching: Vouching;
  readonly #target: SharedTarget;
  readonly #random: Random;
  #view: FleetView | undefined;
  #until = 0;
  #nextClaimAt = 0;
  #pending: Pending | undefined;
  /** A claim that had no answer: it may have run, and told again it brings the same lease. */
  #unanswered: string | undefined;
  #isAsking = false;
  /** The last request. */
  #asked: Promise<unknown> = Promise.resolve();
  #failedLast = false;
  #defers = false;
  /** A lease was given back for want of calls: none is claimed before there is one. */
  #awaitsCall = false;
  #callsSeen = -1;
  #usedAt = Number.NEGATIVE_INFINITY;

  constructor(target: SharedTarget, random: Random) {
    this.#target = target;
    this.#random = random;
    this.#vouching = new Vouching(target);
    this.trial = new LeasedTrial(RETRY_MS, (lease, verdict) => this.#judged(lease, verdict));
  }

  /** Another epoch has begun. */
  begin(view: FleetView, until: number): void {
    this.trial.clear();
    this.#pending = undefined;
    this.#unanswered = undefined;
    this.#vouching.lease = undefined;
    this.#view = view;
    this.#until = until;
    this.#defers = this.#failedLast;
    this.#failedLast = false;
    const from = this.#defers ? until + FAIR_MS : until - CLAIM_AHEAD_MS;
    this.#nextClaimAt = from + this.#random.next() * CLAIM_JITTER_MS;
  }

  /** Nothing is tried any more by what the store has granted. A probe that is out has used its grant, whatever comes of it. */
  stop(): void {
    const { lease } = this.#holder;
    if (lease !== undefined) this.#pending = { lease, verdict: 'unused' };
    this.trial.clear();
    this.#vouching.lease = undefined;
  }

  /** For good: what is held is given back, and a verdict that has not been heard is told once more. */
  async end(store: InsuredStore, replica: string, clock: Clock): Promise<void> {
    await this.#asked;
    // What was under way may have brought a lease.
    this.stop();
    if (this.#pending !== undefined) await this.#settle(store, replica, this.#pending, clock.now());
  }

  /** True while there is something to do for `work`. */
  get isOnTrial(): boolean {
    return !this.#isAsking && this.#view?.state === 'open' && this.#view.forced === null;
  }

  /** Called every 100 ms or so: who has no traffic tries nothing. */
  noteTraffic(now: number): void {
    const { ended, refused, inFlight } = this.#target.monitor;
    const calls = ended + refused + inFlight;
    if (calls === this.#callsSeen) return;
    this.#callsSeen = calls;
    this.#usedAt = now;
    this.#awaitsCall = false;
  }

  /**
   * Does what is due, one request at a time; called every 100 ms or so.
   *
   * @returns the view that the store has answered with
   */
  async work(store: InsuredStore, replica: string, now: number): Promise<FleetView | undefined> {
    if (this.#view === undefined || !this.isOnTrial) return undefined;
    this.trial.failOverdue(now);
    this.#vouch(now);
    this.#isAsking = true;
    const asked = this.#ask(store, replica, this.#view, now);
    this.#asked = asked;
    try {
      return await asked;
    } finally {
      this.#isAsking = false;
    }
  }

  #ask(store: InsuredStore, replica: string, view: FleetView, now: number): Promise<FleetView | undefined> {
    if (this.#pending !== undefined) return this.#settle(store, replica, this.#pending, now);
    const { lease } = this.#holder;
    if (lease !== undefined) return this.#keep(store, replica, lease, now);
    return this.#claim(store, replica, view, now);
  }

  /** What a lease is for. */
  get #holder(): LeasedTrial | Vouching {
    return this.#vouching.lease === undefined ? this.trial : this.#vouching;
  }

  #judged(lease: Lease, verdict: ProbeVerdict): void {
    this.#pending = { lease, verdict: VERDICTS[verdict] };
    this.#failedLast = verdict === 'failed';
  }

  /** The same verdict is told until it was heard, or its lease is over. */
  async #settle(store: InsuredStore, replica: string, pending: Pending, now: number) {
    const { lease, verdict } = pending;
    if (now > lease.endsAt) {
      this.#pending = undefined;
      return undefined;
    }
    const { token, epochId } = lease;
    const openTerms = openTermsOf(this.#target, this.#random, now);
    const nextId = makeId(this.#random);
    const { name: target } = this.#target;
    const reply = await store.settle(replica, { target, epochId, token, verdict, openTerms, nextId });
    if (reply !== undefined && this.#pending === pending) {
      this.#pending = undefined;
      const from = verdict === 'unused' ? now + UNUSED_AGAIN_MS : now;
      this.#nextClaimAt = Math.max(from, this.#until + FAIR_MS) + this.#random.next() * CLAIM_JITTER_MS;
    }
    return reply?.view;
  }

  /** A lease that nobody has used yet is kept, as long as there is traffic and no one else wants it. */
  async #keep(store: InsuredStore, replica: string, lease: Lease, now: number) {
    const holder = this.#holder;
    if (lease.usableUntil - now > RENEW_AHEAD_MS || this.#vouching.hasCalls) return undefined;
    const { timeoutMs } = lease;
    const claim = this.#makeClaim(lease.epochId, lease.token, timeoutMs);
    const reply = this.#hasTraffic(now) ? await store.renew(replica, claim) : undefined;
    if (holder.lease !== lease) return reply?.view;
    if (reply?.leaseMs !== undefined) holder.lease = this.#leaseOf(claim, timeoutMs, reply.leaseMs, now);
    else if (reply !== undefined || now > lease.usableUntil || !this.#hasTraffic(now)) {
      holder.lease = undefined;
      this.#pending = { lease, verdict: 'unused' };
      this.#awaitsCall = true;
    }
    return reply?.view;
  }

  async #claim(store: InsuredStore, replica: string, view: FleetView, now: number) {
    const isReady = now >= this.#nextClaimAt && !this.trial.busy && this.#isTried(now);
    if (!isReady || this.#awaitsCall || !this.#hasTraffic(now)) return undefined;
    const token = this.#unanswered ?? makeId(this.#random);
    const timeoutMs = Math.min(this.#target.breaker.probeLimitMs, LONGEST_PROBE_MS);
    const claim = this.#makeClaim(view.epochId, token, timeoutMs);
    this.#nextClaimAt = Math.max(now + CLAIM_AGAIN_MS, this.#until) + this.#random.next() * CLAIM_JITTER_MS;
    const reply = await store.claim(replica, claim);
    if (this.#view?.epochId !== view.epochId) return reply?.view;
    this.#unanswered = reply === undefined ? token : undefined;
    if (reply?.leaseMs !== undefined) this.#use(this.#leaseOf(claim, timeoutMs, reply.leaseMs, now));
    return reply?.view;
  }

  /** One that is neither the fleet's nor closed is tried by its own probes, for itself. */
  #isTried(now: number): boolean {
    const { breaker } = this.#target;
    return breaker.isFleets || breaker.stateAt(now) === 'closed';
  }

  #use(lease: Lease): void {
    if (this.#target.breaker.isFleets) this.trial.lease = lease;
    else this.#vouching.begin(lease);
  }

  #vouch(now: number): void {
    const { lease } = this.#vouching;
    const verdict = this.#vouching.verdictAt(now);
    if (lease === undefined || verdict === undefined) return;
    this.#vouching.lease = undefined;
    this.#judged(lease, verdict);
  }

  /** @param probeMs how long the probe may take */
  #makeClaim(epochId: string, token: string, probeMs: number): Claim {
    const { name: target, settings } = this.#target;
    const { probes } = settings.circuit;
    const nextId = makeId(this.#random);
    const timeoutMs = Math.max(probeMs, Math.ceil((USABLE_MS + probeMs) / 2));
    return { target, epochId, token, probes, timeoutMs, marginMs: MARGIN_MS, defer: this.#defers, nextId };
  }

  /** @param sentAt before the claim was sent: the lease is no longer than it seems from here */
  #leaseOf({ token, epochId }: Claim, timeoutMs: number, leaseMs: number, sentAt: number): Lease {
    const endsAt = sentAt + leaseMs;
    const usableUntil = endsAt - timeoutMs - MARGIN_MS;
    return { token, epochId, timeoutMs, usableFrom: this.#until, usableUntil, endsAt };
  }

  #hasTraffic(now: number): boolean {
    return now - this.#usedAt <= TRAFFIC_MS;
  }
}
