import type { TargetOptions } from '../../../packages/core/src/index.ts';
import { type Random, seededRandom } from '../../../packages/core/src/time/random.ts';
import { VirtualClock } from '../../../packages/core/src/time/virtual-clock.ts';
import type { Backend } from './backend.ts';
import { GOOD, type LinkQuality } from './link.ts';
import type { Fields, Primary } from './primary.ts';
import { Replica } from './replica.ts';
import { Watch } from './watch.ts';

export interface WorldOptions {
  readonly replicas: number;
  /** Calls a second of each replica, by chance. */
  readonly callsPerSecond?: number | ((replica: number) => number);
  readonly settings?: TargetOptions;
}

const CHECK_MS = 100;
const LOOK_MS = 20;
/** Nothing that a replica is asked to do takes longer. */
const PATIENCE_MS = 5_000;
/** After that many, the rest says nothing new. */
const MOST_VIOLATIONS = 5;

/** Replicas of one service, their Redis and their upstream, in virtual time: the same seed, the same story. */
export class World {
  readonly clock = new VirtualClock();
  readonly random: Random;
  readonly replicas: Replica[] = [];
  readonly violations: string[] = [];
  readonly watch: Watch;
  readonly #options: WorldOptions;
  readonly #seed: number;
  readonly #backend: Backend;
  readonly #story: string[] = [];
  readonly #began = this.clock.now();
  #primary: Primary;

  constructor(backend: Backend, seed: number, options: WorldOptions) {
    this.#backend = backend;
    this.#seed = seed;
    this.#options = options;
    this.random = seededRandom(seed);
    this.#primary = backend.primary(this.clock);
    this.watch = new Watch(
      () => this.clock.now(),
      (text) => this.violate(text),
      (text) => this.tell(text),
    );
    for (let index = 0; index < options.replicas; index++) this.join();
  }

  get primary(): Primary {
    return this.#primary;
  }

  /** Those whose processes run. */
  get living(): Replica[] {
    return this.replicas.filter(({ alive, clock }) => alive && !clock.frozen);
  }

  /** Those that have used the upstream: the others have no circuit to it yet. */
  get users(): Replica[] {
    return this.living.filter(({ calls }) => calls > 0);
  }

  get states(): string {
    return this.replicas.map(({ alive, state }) => (alive ? state : 'gone')).join(' ');
  }

  get record(): Fields | undefined {
    return this.watch.record(this.#primary);
  }

  /** The story, to be read. */
  get trace(): string {
    return this.#story.join('\n');
  }

  join(): Replica {
    const index = this.replicas.length;
    const { callsPerSecond = 10, settings = {} } = this.#options;
    const rate = typeof callsPerSecond === 'number' ? callsPerSecond : callsPerSecond(index);
    const replica = new Replica(index, rate, {
      clock: this.clock,
      watch: this.watch,
      primary: this.#primary,
      seed: this.#seed,
      settings,
      tell: (text) => this.tell(text),
      violate: (text) => this.violate(text),
    });
    this.replicas.push(replica);
    return replica;
  }

  replica(index: number): Replica {
    return this.replicas[index] as Replica;
  }

  async run(ms: number): Promise<void> {
    const end = this.clock.now() + ms;
    while (this.clock.now() < end) {
      await this.clock.advance(Math.min(CHECK_MS, end - this.clock.now()));
      for (const replica of this.replicas) replica.check();
    }
  }

  /** Lets time pass until `is` holds; a violation where it does not in time. Returns how long it took, in ms. */
  async until(what: string, withinMs: number, is: () => boolean): Promise<number> {
    const began = this.clock.now();
    while (!is()) {
      if (this.clock.now() - began >= withinMs) {
        this.violate(`not ${what} within ${withinMs} ms: ${this.states}`);
        return withinMs;
      }
      await this.run(LOOK_MS);
    }
    const tookMs = this.clock.now() - began;
    this.tell(`${what}, after ${tookMs.toFixed(0)} ms`);
    return tookMs;
  }

  /** Holds at every moment of a while. */
  async always(what: string, forMs: number, is: () => boolean): Promise<void> {
    const end = this.clock.now() + forMs;
    while (this.clock.now() < end) {
      if (!is()) {
        this.violate(`not always ${what}: ${this.states}`);
        return;
      }
      await this.run(LOOK_MS);
    }
    this.tell(`always ${what}`);
  }

  /** Lets time pass until `work` is done. */
  async finish<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const done = () => {
      isDone = true;
    };
    work.then(done, done);
    await this.until('done', PATIENCE_MS, () => isDone);
    return work;
  }

  /** All calls fail, or that share of them. */
  fail(share = 1, replicas: readonly Replica[] = this.replicas): void {
    this.tell(`fails ${share * 100} %: ${replicas.map(({ index }) => index).join(' ')}`);
    for (const replica of replicas) replica.fails = () => this.random.next() < share;
  }

  heal(replicas: readonly Replica[] = this.replicas): void {
    this.tell(`is well: ${replicas.map(({ index }) => index).join(' ')}`);
    for (const replica of replicas) replica.fails = () => false;
  }

  links(quality: Partial<LinkQuality>, replicas: readonly Replica[] = this.replicas): void {
    this.tell(`links ${JSON.stringify(quality)}: ${replicas.map(({ index }) => index).join(' ')}`);
    for (const { link } of replicas) Object.assign(link.quality, quality);
  }

  mendLinks(): void {
    this.links(GOOD);
  }

  /** FLUSHALL. */
  async flush(): Promise<void> {
    this.tell('FLUSHALL');
    this.watch.flushed(this.#primary);
    await this.#primary.flush();
  }

  /** The primary's replica as it is now: what is written from now on, it does not have. */
  async copy(): Promise<Primary> {
    const copy = this.#backend.primary(this.clock);
    this.tell(`a copy is made, ${copy.run}`);
    await this.#primary.copyTo(copy);
    this.watch.copied(this.#primary, copy);
    return copy;
  }

  /** The copy is the primary now. The replicas of the service notice one after the other, within `spreadMs`. */
  failover(copy: Primary, spreadMs = 50): void {
    this.tell(`failover to ${copy.run}`);
    this.#primary = copy;
    for (const { link } of this.replicas) {
      this.clock.setTimer(() => link.moveTo(copy), this.random.next() * spreadMs);
    }
  }

  /** Redis refuses connections. */
  down(yes: boolean): void {
    this.tell(yes ? 'Redis is down' : 'Redis is up');
    this.#primary.down = yes;
    if (yes) for (const { link } of this.replicas) link.reset();
  }

  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.random.next() * from.length)] as T;
  }

  between(least: number, most: number): number {
    return least + this.random.next() * (most - least);
  }

  tell(text: string): void {
    const seconds = (this.clock.now() - this.#began) / 1_000;
    this.#story.push(`${seconds.toFixed(3).padStart(9)} s  ${text}`);
  }

  violate(text: string): void {
    this.tell(`VIOLATION ${text}`);
    if (this.violations.length < MOST_VIOLATIONS) this.violations.push(text);
  }
}
