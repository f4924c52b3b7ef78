import type { Random } from '../time/random.ts';

export interface AdaptiveThrottleOptions {
  /** Calls that are let through for each one accepted; less is stricter. Default: 2. */
  readonly multiplier?: number | undefined;
  /** Length of the window in ms. Default: 3000. */
  readonly windowMs?: number | undefined;
  /** Fewer calls in the window than this say nothing. Default: 10. */
  readonly minimumCalls?: number | undefined;
  /** The largest share that is refused: what is let through tells of recovery. Default: 0.9. */
  readonly maxShare?: number | undefined;
  /** A prediction is believed for so long, in ms. Default: 1500. */
  readonly predictionMs?: number | undefined;
  /** The share falls from all to nothing in this time at the fastest, in ms. Default: 1000. */
  readonly easeMs?: number | undefined;
}

const BUCKETS = 10;
/** The last buckets, which tell of a recovery before the window has forgotten what was before it. */
const RECENT = 2;
const RECOVERED_SHARE = 0.8;

/**
 * Refuses a share of calls here, at the caller, that grows with the share that the other side does not take: client-side
 * throttling by accepts, `(requests - K * accepts) / (requests + 1)` (Google, Site Reliability Engineering, chapter 21,
 * "Handling Overload"). A predicted failure probability is its second input: it stands for the accepts that are to be
 * expected where it is worse than those that came, so that the throttle acts before the failures are in the window.
 *
 * Unlike the book's, of which the window is two minutes long, it eases off with the first half second in which what
 * was let through was taken.
 */
export class AdaptiveThrottle {
  readonly #multiplier: number;
  readonly #bucketMs: number;
  readonly #minimumCalls: number;
  readonly #maxShare: number;
  readonly #predictionMs: number;
  readonly #easeMs: number;
  readonly #requested = new Uint32Array(BUCKETS);
  readonly #sent = new Uint32Array(BUCKETS);
  readonly #taken = new Uint32Array(BUCKETS);
  #head = 0;
  #headEnds = Number.NEGATIVE_INFINITY;
  /** Sums over the window. */
  #requests = 0;
  #accepts = 0;
  #share = 0;
  #sharedAt = 0;
  #probability = 0;
  #predictedUntil = Number.NEGATIVE_INFINITY;

  constructor(options: AdaptiveThrottleOptions = {}) {
    const { multiplier = 2, windowMs = 3_000, minimumCalls = 10, maxShare = 0.9 } = options;
    this.#multiplier = multiplier;
    this.#bucketMs = windowMs / BUCKETS;
    this.#minimumCalls = minimumCalls;
    this.#maxShare = maxShare;
    this.#predictionMs = options.predictionMs ?? 1_500;
    this.#easeMs = options.easeMs ?? 1_000;
  }

  /** The share of calls that were to be refused when it was last asked. */
  get share(): number {
    return this.#share;
  }

  /** Whether this call is to be refused. One that is counts as a request; of any other, `ended` tells. */
  refuses(random: Random, now: number): boolean {
    if (now >= this.#headEnds) this.#roll(now);
    const wanted = this.#wanted(now);
    if (wanted === 0 && this.#share === 0) return false;
    this.#ease(wanted, now);
    if (this.#share === 0 || random.next() >= this.#share) return false;
    this.#requests++;
    this.#requested[this.#head] = (this.#requested[this.#head] as number) + 1;
    return true;
  }

  /**
   * A call that was let through has ended. It counts now, not when it began: calls that merely take long were not
   * turned down.
   *
   * @param accepted whether the other side took it up: false for overload, a timeout, a lost connection. Where plain
   * errors at random count too, more than `1 - 1 / multiplier` of them have nearly all calls refused.
   */
  ended(accepted: boolean, now: number): void {
    if (now >= this.#headEnds) this.#roll(now);
    const head = this.#head;
    this.#requests++;
    this.#requested[head] = (this.#requested[head] as number) + 1;
    this.#sent[head] = (this.#sent[head] as number) + 1;
    if (!accepted) return;
    this.#accepts++;
    this.#taken[head] = (this.#taken[head] as number) + 1;
  }

  /** What share of the calls of the next second is expected to fail. */
  predict(probability: number, now: number): void {
    this.#probability = Math.min(1, Math.max(0, probability));
    this.#predictedUntil = now + this.#predictionMs;
  }

  #wanted(now: number): number {
    const requests = this.#requests;
    let accepts = this.#accepts;
    if (requests < this.#minimumCalls) return 0;
    if (requests > this.#multiplier * accepts && this.#hasRecovered()) accepts = requests;
    if (this.#probability > 0) {
      if (now >= this.#predictedUntil) this.#probability = 0;
      accepts = Math.min(accepts, (1 - this.#probability) * requests);
    }
    const beyond = requests - this.#multiplier * accepts;
    return beyond <= 0 ? 0 : Math.min(this.#maxShare, beyond / (requests + 1));
  }

  /** Whether nearly all that was lately let through was taken. */
  #hasRecovered(): boolean {
    let sent = 0;
    let taken = 0;
    for (let age = 0; age < RECENT; age++) {
      const bucket = (this.#head - age + BUCKETS) % BUCKETS;
      sent += this.#sent[bucket] as number;
      taken += this.#taken[bucket] as number;
    }
    return sent >= this.#minimumCalls / 2 && taken >= RECOVERED_SHARE * sent;
  }

  /** It rises at once and falls step by step: what comes back comes back as a ramp. */
  #ease(wanted: number, now: number): void {
    const least = this.#share - Math.max(0, now - this.#sharedAt) / this.#easeMs;
    this.#share = Math.max(0, wanted, least);
    this.#sharedAt = now;
  }

  #roll(now: number): void {
    const passed = Math.floor((now - this.#headEnds) / this.#bucketMs) + 1;
    if (passed >= BUCKETS) {
      this.#clear();
      this.#headEnds = now + this.#bucketMs;
      return;
    }
    for (let step = 0; step < passed; step++) this.#advance();
    this.#headEnds += passed * this.#bucketMs;
  }

  #advance(): void {
    const head = (this.#head + 1) % BUCKETS;
    this.#head = head;
    this.#requests -= this.#requested[head] as number;
    this.#accepts -= this.#taken[head] as number;
    this.#requested[head] = 0;
    this.#sent[head] = 0;
    this.#taken[head] = 0;
  }

  #clear(): void {
    this.#requests = 0;
    this.#accepts = 0;
    this.#requested.fill(0);
    this.#sent.fill(0);
    this.#taken.fill(0);
  }
}
