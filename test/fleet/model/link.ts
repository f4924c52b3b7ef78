import type { Clock, Random } from '@healix/core';
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
} from '@healix/core/testing';

/** What the way between one replica and the store is like. */
export interface LinkQuality {
  /** Ms that a message takes, each way: between these two. */
  delayMs: readonly [number, number];
  /** Share of the messages that are lost, each way. */
  loss: number;
  /** Share of the requests that arrive twice. */
  twice: number;
  /** Nothing gets through. */
  cut: boolean;
  /** The store takes no writes. */
  readOnly: boolean;
}

/** What the model hears of what replicas ask of the store. */
export interface LinkListener {
  granted(replica: string, claim: Claim, reply: ClaimReply): void;
}

const COMMAND_TIMEOUT_MS = 50;

class LinkError extends Error {}

/** One replica's way to the store that all of them share: messages are late, get lost, and arrive twice. */
export class Link implements Store {
  readonly quality: LinkQuality = { delayMs: [0.2, 2], loss: 0, twice: 0, cut: false, readOnly: false };
  readonly #store: Store;
  readonly #clock: Clock & { hold<T>(work: Promise<T>): Promise<T> };
  readonly #random: Random;
  readonly #listener: LinkListener;

  constructor(store: Store, clock: Link['#clock'], random: Random, listener: LinkListener) {
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
    this.#listener = listener;
  }

  open(): void {}

  heartbeat(replica: string): Promise<Heartbeat> {
    return this.#write(() => this.#store.heartbeat(replica));
  }

  leave(replica: string): Promise<void> {
    return this.#write(() => this.#store.leave(replica));
  }

  report(replica: string, reports: readonly Report[]): Promise<readonly FleetView[]> {
    return this.#write(() => this.#store.report(replica, reports));
  }

  claim(replica: string, claim: Claim): Promise<ClaimReply> {
    return this.#write(async () => {
      const reply = await this.#store.claim(replica, claim);
      if (reply.leaseMs !== undefined) this.#listener.granted(replica, claim, reply);
      return reply;
    });
  }

  renew(replica: string, claim: Claim): Promise<ClaimReply> {
    return this.#write(() => this.#store.renew(replica, claim));
  }

  settle(replica: string, verdict: Verdict): Promise<VerdictReply> {
    return this.#write(() => this.#store.settle(replica, verdict));
  }

  seed(replica: string, seeds: readonly Seed[]): Promise<readonly FleetView[]> {
    return this.#write(() => this.#store.seed(replica, seeds));
  }

  force(replica: string, force: Force): Promise<ForceReply> {
    return this.#write(() => this.#store.force(replica, force));
  }

  snapshot(targets: readonly string[]): Promise<Snapshot> {
    return this.#send(() => this.#store.snapshot(targets), COMMAND_TIMEOUT_MS);
  }

  /** A reader looks again and again: what a blocking read would have brought at once comes a little later. */
  async read(cursor: string, waitMs: number, signal: AbortSignal): Promise<FleetNews> {
    const until = this.#clock.now() + waitMs;
    for (;;) {
      const news = await this.#send(() => this.#store.read(cursor, 0, signal), waitMs + COMMAND_TIMEOUT_MS);
      if (news.entries.length > 0 || signal.aborted || this.#clock.now() >= until) return news;
      await this.#pass(5);
    }
  }

  async close(): Promise<void> {}

  #write<T>(call: () => Promise<T>): Promise<T> {
    const checked = () => {
      if (this.quality.readOnly) throw new LinkError('READONLY');
      return call();
    };
    return this.#send(checked, COMMAND_TIMEOUT_MS);
  }

  /** A message that is lost, either way, ends in a timeout: who sent it cannot tell which way it was. */
  #send<T>(call: () => T | Promise<T>, timeoutMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#clock.setTimer(() => reject(new LinkError('timed out')), timeoutMs);
      void this.#carry(call).then(resolve, reject);
      if (this.#random.next() < this.quality.twice) void this.#carry(call).catch(() => undefined);
    });
  }

  async #carry<T>(call: () => T | Promise<T>): Promise<T> {
    await this.#cross();
    const reply = await this.#clock.hold(Promise.resolve().then(call));
    await this.#cross();
    return reply;
  }

  async #cross(): Promise<void> {
    const [least, most] = this.quality.delayMs;
    await this.#pass(least + this.#random.next() * (most - least));
    if (this.quality.cut || this.#random.next() < this.quality.loss) await new Promise(() => undefined);
  }

  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.setTimer(resolve, ms));
  }
}
