import {
  createHealing,
  type Healing,
  type Outcome,
  type Target,
  type TargetOptions,
} from '../../../packages/core/src/index.ts';
import { RedisStore } from '../../../packages/core/src/store/redis/redis-store.ts';
import { type Random, seededRandom } from '../../../packages/core/src/time/random.ts';
import type { VirtualClock } from '../../../packages/core/src/time/virtual-clock.ts';
import { Link } from './link.ts';
import type { Primary } from './primary.ts';
import { ReplicaClock } from './replica-clock.ts';
import { short, type Watch } from './watch.ts';

export const SERVICE = 'model';
export const NAME = 'upstream:shared';
const LATENCY_MS = [5, 40] as const;
/** Longer than any open time and its surroundings; a person's decision aside. */
const LONGEST_OPEN_MS = 3_000;

export interface ReplicaEnvironment {
  readonly clock: VirtualClock;
  readonly watch: Watch;
  readonly primary: Primary;
  readonly seed: number;
  readonly settings: TargetOptions;
  tell(text: string): void;
  violate(text: string): void;
}

/** One replica: a runtime and a store as users have them, whose time and network are the world's, and its callers. */
export class Replica {
  readonly index: number;
  readonly clock: ReplicaClock;
  readonly link: Link;
  readonly runtime: Healing;
  readonly target: Target;
  /** Whether a call fails that begins now. */
  fails: () => boolean = () => false;
  /** By chance (Poisson); see `callEvery` for calls at even distances. */
  callsPerSecond: number;
  callEvery: number | undefined;
  /** How long calls take, in ms. */
  latencyMs: readonly [number, number] = LATENCY_MS;
  calls = 0;
  alive = true;
  readonly #environment: ReplicaEnvironment;
  readonly #random: Random;
  #heldId = '';
  #openSince: number | undefined;

  constructor(index: number, callsPerSecond: number, environment: ReplicaEnvironment) {
    const { clock, watch, primary, seed, settings } = environment;
    const random = (stream: number) => seededRandom(seed * 100_000 + index * 10 + stream);
    this.index = index;
    this.callsPerSecond = callsPerSecond;
    this.#environment = environment;
    this.#random = random(0);
    this.clock = new ReplicaClock(clock);
    this.link = new Link(primary, {
      world: clock,
      replica: this.clock,
      random: random(1),
      heard: (execution) => watch.heard(index, execution),
    });
    this.runtime = createHealing({
      shared: false,
      clock: this.clock,
      random: random(2),
      store: new RedisStore(this.link, {}, { clock: this.clock, random: random(3) }),
      service: SERVICE,
      defaults: { retry: { maxRetries: 0 }, ...settings },
    });
    this.target = this.runtime.target(NAME);
    this.#follow();
    this.#callLater();
  }

  get state(): string {
    return this.target.breaker.stateAt(this.clock.now());
  }

  get away(): boolean {
    return this.runtime.status().fleet?.store.state === 'away';
  }

  /** SIGKILL. */
  kill(): void {
    this.alive = false;
    this.clock.freeze();
    this.tell('is killed');
  }

  /** SIGSTOP. */
  freeze(): void {
    this.clock.freeze();
    this.tell('is frozen');
  }

  /** SIGCONT. */
  thaw(): void {
    this.clock.thaw();
    this.tell('goes on');
  }

  /** It ends as a process should. */
  async leave(): Promise<void> {
    this.alive = false;
    this.tell('leaves');
    await this.runtime.close();
  }

  /** What must be at any moment. */
  check(): void {
    const isOpen =
      this.alive && !this.clock.frozen && this.state === 'open' && this.target.breaker.forced === null;
    if (!isOpen) this.#openSince = undefined;
    else if (this.#openSince === undefined) this.#openSince = this.clock.now();
    else if (this.clock.now() - this.#openSince > LONGEST_OPEN_MS) {
      this.#environment.violate(`replica ${this.index}: open for more than ${LONGEST_OPEN_MS} ms`);
      this.#openSince = undefined;
    }
  }

  tell(text: string): void {
    this.#environment.tell(`replica ${this.index}: ${text}`);
  }

  /** One call, now. */
  call(): void {
    const permit = this.target.acquire();
    this.calls++;
    if (!permit.ok) return;
    const { breaker } = this.target;
    const failed = this.fails();
    if (breaker.isFleets && breaker.state === 'half-open') {
      this.tell(`sends a probe, which ${failed ? 'fails' : 'succeeds'}`);
      this.#environment.watch.probed(this.index, this.#heldId);
    }
    const outcome: Outcome = failed ? 'failure' : 'success';
    const [least, most] = this.latencyMs;
    const latencyMs = least + this.#random.next() * (most - least);
    this.clock.setTimer(() => this.target.release(permit, outcome), latencyMs);
  }

  #follow(): void {
    this.runtime.on('transition', ({ to, reason }) => {
      this.tell(`${to} (${reason})`);
      if (to === 'open') this.#openSince = undefined;
      if (reason === 'fleet-closed') this.#environment.watch.closed(this.index, this.#heldId);
    });
    this.runtime.on('store', ({ state, lastError }) => this.tell(`store ${state}, ${lastError ?? ''}`));
    this.runtime.on('fleet', ({ view }) => {
      if (view.state === 'open') this.#heldId = view.epochId;
      if (view.epochId !== this.#heldId || view.state === 'open') this.#openSince = undefined;
      this.tell(`believes epoch ${view.epoch} ${short(view.epochId)} ${view.state} ${view.forced ?? ''}`);
    });
  }

  #callLater(): void {
    const { callEvery, callsPerSecond } = this;
    const isIdle = callEvery === undefined && callsPerSecond === 0;
    const chanceMs = (-Math.log(1 - this.#random.next()) / callsPerSecond) * 1_000;
    this.clock.setTimer(
      () => {
        if (!this.alive) return;
        if (!isIdle) this.call();
        this.#callLater();
      },
      isIdle ? 500 : (callEvery ?? chanceMs),
    );
  }
}
