import type { Outcome, OutlierOptions } from '../config/schema.ts';
import { seededRandom } from '../time/random.ts';
import { VirtualClock } from '../time/virtual-clock.ts';
import type { HostCall } from './host-call.ts';
import { type HostMove, HostSet } from './host-set.ts';

export const NAMES = ['a', 'b', 'c', 'd'];
const DEADLINE_MS = 1_000;

interface Answer {
  readonly ms: number;
  readonly outcome: Outcome;
}

/** How a host answers a call that reaches it at `at`. */
export type Behaviour = (at: number, ms: number) => Answer;

export const well: Behaviour = (_, ms) => ({ ms, outcome: 'success' });
export const failing: Behaviour = () => ({ ms: 2, outcome: 'failure' });
export const slow: Behaviour = (_, ms) => ({ ms: ms * 50, outcome: 'success' });
export const hanging: Behaviour = () => ({ ms: Number.POSITIVE_INFINITY, outcome: 'success' });

export const FAULT_FROM_MS = 5_000;
export const FAULT_TO_MS = 25_000;

export const forAWhile =
  (bad: Behaviour): Behaviour =>
  (at, ms) =>
    (at >= FAULT_FROM_MS && at < FAULT_TO_MS ? bad : well)(at, ms);

/** `bad` for that share of the calls. */
export function randomly(share: number, bad: Behaviour, seed: number): Behaviour {
  const random = seededRandom(seed);
  return (at, ms) => (random.next() < share ? bad : well)(at, ms);
}

export interface Load {
  readonly perSecond?: number;
  readonly forMs?: number;
  readonly seed?: number;
  readonly options?: OutlierOptions;
  /** Share of calls that may be made again, elsewhere. */
  readonly repeatable?: number;
  readonly acts?: boolean;
}

interface Moment extends HostMove {
  readonly at: number;
}

/** Drives a set of hosts in virtual time: calls come at random, each with a deadline, and are repeated elsewhere. */
export class Drive {
  readonly clock = new VirtualClock();
  readonly set: HostSet;
  readonly moves: Moment[] = [];
  readonly begun: { host: string; at: number }[] = [];
  good = 0;
  total = 0;
  mostOut = 0;
  readonly #random: ReturnType<typeof seededRandom>;
  readonly #behaviours: Readonly<Record<string, Behaviour>>;
  readonly #from: number;

  constructor(
    behaviours: Readonly<Record<string, Behaviour>>,
    { seed = 1, options = {}, acts = true }: Load,
  ) {
    this.#behaviours = behaviours;
    this.#random = seededRandom(seed);
    this.#from = this.clock.now();
    this.set = new HostSet(Object.keys(behaviours), options, {
      clock: this.clock,
      random: seededRandom(seed + 1_000),
      onMove: (move) => this.moves.push({ ...move, at: this.at }),
    });
    this.set.acts = acts;
  }

  get at(): number {
    return this.clock.now() - this.#from;
  }

  run({ perSecond = 250, forMs = 35_000, repeatable = 0.8 }: Load): this {
    const gapMs = () => (-Math.log(1 - this.#random.next()) / perSecond) * 1_000;
    const next = () => {
      if (this.at > forMs) return;
      this.#call(this.#random.next() < repeatable);
      this.clock.setTimer(next, gapMs());
    };
    this.clock.setTimer(next, gapMs());
    this.clock.advanceSync(forMs + DEADLINE_MS);
    return this;
  }

  #call(repeatable: boolean): void {
    this.total++;
    this.#attempt(repeatable, this.clock.now() + DEADLINE_MS, undefined, 0);
  }

  #attempt(repeatable: boolean, deadline: number, before: HostCall | undefined, repeats: number): void {
    const now = this.clock.now();
    const call = this.set.choose(now, repeatable, before);
    this.mostOut = Math.max(this.mostOut, this.set.out);
    this.begun.push({ host: call.host.name, at: this.at });
    const { ms, outcome } = (this.#behaviours[call.host.name] as Behaviour)(this.at, this.#serviceMs());
    const late = now + ms > deadline;
    const end = late ? deadline : now + ms;
    this.clock.setTimer(() => {
      const came = late ? 'failure' : outcome;
      call.end(came, this.clock.now() - now, this.clock.now());
      if (came === 'success') this.good++;
      else if (repeatable && repeats < 2 && !late) this.#attempt(repeatable, deadline, call, repeats + 1);
    }, end - now);
  }

  /** Log-normal around 35 ms, sigma 0.5. */
  #serviceMs(): number {
    const normal =
      Math.sqrt(-2 * Math.log(1 - this.#random.next())) * Math.cos(2 * Math.PI * this.#random.next());
    return 35 * Math.exp(0.5 * normal);
  }

  get share(): number {
    return this.good / this.total;
  }

  /** Calls to `host` between two moments. */
  readonly callsTo = (host: string, from: number, to: number): number =>
    this.begun.filter((call) => call.host === host && call.at >= from && call.at < to).length;
}

export const drive = (behaviours: Readonly<Record<string, Behaviour>>, load: Load = {}) =>
  new Drive(behaviours, load).run(load);

export const oneOf = (bad: Behaviour, hosts = NAMES) =>
  Object.fromEntries(hosts.map((name, index) => [name, index === 0 ? bad : well]));
