import { createHealing, type Healing, type Outcome, type Target, type TargetOptions } from '@healix/core';
import { type Store, seededRandom, type VirtualClock } from '@healix/core/testing';
import { Link } from './link.ts';

/** What the store behind all links can suffer. */
export interface Backend {
  readonly store: Store;
  /** All that it held is gone. */
  flush(): Promise<void>;
  /** Its clock jumps. */
  skew(ms: number): void;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly seed: number;
  readonly replicas: number;
  /** Calls a second of each replica, by chance. */
  readonly callsPerSecond: number | ((replica: number) => number);
  readonly settings?: TargetOptions;
}

/** A line of the story that a failing seed tells. */
export interface Line {
  readonly at: number;
  readonly text: string;
}

const NAME = 'upstream:shared';
const LATENCY_MS = [5, 40] as const;
const PROBES = 3;

/** One replica: a real runtime whose time is the world's, and whose way to the store is its own. */
export class Replica {
  readonly index: number;
  readonly runtime: Healing;
  readonly link: Link;
  readonly target: Target;
  /** Whether a call fails that begins now. */
  fails: () => boolean = () => false;
  callsPerSecond: number;
  failures = 0;
  calls = 0;
  refused = 0;

  constructor(index: number, runtime: Healing, link: Link, callsPerSecond: number) {
    this.index = index;
    this.runtime = runtime;
    this.link = link;
    this.callsPerSecond = callsPerSecond;
    this.target = runtime.target(NAME);
  }
}

/** Replicas of one service, their store, and their upstream, in virtual time: the same seed, the same story. */
export class World {
  readonly clock: VirtualClock;
  readonly backend: Backend;
  readonly replicas: Replica[] = [];
  readonly story: Line[] = [];
  readonly violations: string[] = [];
  readonly #random: { next(): number };
  readonly #grants = new Map<string, Set<string>>();
  readonly #began: number;

  constructor(clock: VirtualClock, backend: Backend, options: WorldOptions) {
    this.clock = clock;
    this.backend = backend;
    this.#began = clock.now();
    this.#random = seededRandom(options.seed);
    for (let index = 0; index < options.replicas; index++) this.#add(index, options);
  }

  get seconds(): number {
    return (this.clock.now() - this.#began) / 1_000;
  }

  /** All replicas' circuits. */
  get states(): string[] {
    return this.replicas.map(({ target }) => target.state);
  }

  async run(ms: number): Promise<void> {
    await this.clock.advance(ms);
  }

  /** Lets time pass until `is` holds; a violation where it does not in time. */
  async until(what: string, withinMs: number, is: () => boolean): Promise<boolean> {
    const giveUp = this.clock.now() + withinMs;
    while (!is()) {
      if (this.clock.now() >= giveUp) {
        this.violate(`not ${what} within ${withinMs} ms: ${this.states.join(' ')}`);
        return false;
      }
      await this.clock.advance(20);
    }
    this.tell(what);
    return true;
  }

  /** Holds for a while, at every moment of it. */
  async always(what: string, forMs: number, is: () => boolean): Promise<void> {
    const end = this.clock.now() + forMs;
    while (this.clock.now() < end) {
      if (!is()) {
        this.violate(`not always ${what}: ${this.states.join(' ')}`);
        return;
      }
      await this.clock.advance(20);
    }
    this.tell(`always ${what}`);
  }

  failAll(share = 1): void {
    this.tell(`the upstream fails, ${share * 100} %`);
    for (const replica of this.replicas) replica.fails = () => this.#random.next() < share;
  }

  heal(): void {
    this.tell('the upstream is well');
    for (const replica of this.replicas) replica.fails = () => false;
  }

  tell(text: string): void {
    this.story.push({ at: this.seconds, text });
  }

  violate(text: string): void {
    this.violations.push(text);
    this.tell(`VIOLATION ${text}`);
  }

  /** The story, to be read. */
  get trace(): string {
    return this.story.map(({ at, text }) => `${at.toFixed(3).padStart(9)} s  ${text}`).join('\n');
  }

  async close(): Promise<void> {
    for (const replica of this.replicas) replica.callsPerSecond = 0;
    const closings = this.replicas.map(({ runtime }) => runtime.close());
    await this.clock.advance(10_000);
    await Promise.all(closings);
    await this.backend.close();
  }

  #add(index: number, { callsPerSecond, settings = {}, seed }: WorldOptions): void {
    const random = seededRandom(seed * 1_000 + index);
    const link = new Link(this.backend.store, this.clock, seededRandom(seed * 1_000 + 500 + index), {
      granted: (_replica, { epochId, token, probes }) => this.#granted(index, epochId, token, probes),
    });
    const runtime = createHealing({
      shared: false,
      clock: this.clock,
      random,
      store: link,
      service: 'model',
      defaults: { retry: { maxRetries: 0 }, ...settings },
    });
    runtime.on('transition', ({ to, reason }) => this.tell(`replica ${index}: ${to} (${reason})`));
    runtime.on('store', ({ state }) => this.tell(`replica ${index}: store ${state}`));
    runtime.on('fleet', ({ view }) =>
      this.tell(`replica ${index}: believes epoch ${view.epoch} ${view.state} ${view.forced ?? ''}`),
    );
    const rate = typeof callsPerSecond === 'number' ? callsPerSecond : callsPerSecond(index);
    const replica = new Replica(index, runtime, link, rate);
    this.replicas.push(replica);
    this.#call(replica);
  }

  /** Calls come by chance (Poisson). */
  #call(replica: Replica): void {
    const rate = replica.callsPerSecond;
    const gapMs = rate === 0 ? 1_000 : (-Math.log(1 - this.#random.next()) / rate) * 1_000;
    this.clock.setTimer(() => {
      if (replica.callsPerSecond > 0) this.#callOnce(replica);
      this.#call(replica);
    }, gapMs);
  }

  #callOnce(replica: Replica): void {
    const permit = replica.target.acquire();
    replica.calls++;
    if (!permit.ok) {
      replica.refused++;
      return;
    }
    const failed = replica.fails();
    const outcome: Outcome = failed ? 'failure' : 'success';
    if (failed) replica.failures++;
    const [least, most] = LATENCY_MS;
    const latencyMs = least + this.#random.next() * (most - least);
    this.clock.setTimer(() => replica.target.release(permit, outcome), latencyMs);
  }

  /** At most so many probes an epoch, whoever asks, whatever is lost. */
  #granted(index: number, epochId: string, token: string, probes: number): void {
    const tokens = this.#grants.get(epochId) ?? new Set();
    this.#grants.set(epochId, tokens);
    if (!tokens.has(token)) this.tell(`replica ${index}: has a probe of ${epochId.slice(0, 6)}`);
    tokens.add(token);
    if (tokens.size > Math.max(PROBES, probes)) this.violate(`${tokens.size} probes in epoch ${epochId}`);
  }
}
