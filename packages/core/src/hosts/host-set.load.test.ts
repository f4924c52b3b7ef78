import { describe, expect, test } from 'vitest';
import type { Outcome, OutlierOptions } from '../config/schema.ts';
import { seededRandom } from '../time/random.ts';
import { VirtualClock } from '../time/virtual-clock.ts';
import type { HostCall } from './host-call.ts';
import { type HostMove, HostSet } from './host-set.ts';

const NAMES = ['a', 'b', 'c', 'd'];
const DEADLINE_MS = 1_000;

interface Answer {
  readonly ms: number;
  readonly outcome: Outcome;
}

/** How a host answers a call that reaches it at `at`. */
type Behaviour = (at: number, ms: number) => Answer;

const well: Behaviour = (_, ms) => ({ ms, outcome: 'success' });
const failing: Behaviour = () => ({ ms: 2, outcome: 'failure' });
const slow: Behaviour = (_, ms) => ({ ms: ms * 50, outcome: 'success' });
const hanging: Behaviour = () => ({ ms: Number.POSITIVE_INFINITY, outcome: 'success' });

const FAULT_FROM_MS = 5_000;
const FAULT_TO_MS = 25_000;

const forAWhile =
  (bad: Behaviour): Behaviour =>
  (at, ms) =>
    (at >= FAULT_FROM_MS && at < FAULT_TO_MS ? bad : well)(at, ms);

/** `bad` for that share of the calls. */
function randomly(share: number, bad: Behaviour, seed: number): Behaviour {
  const random = seededRandom(seed);
  return (at, ms) => (random.next() < share ? bad : well)(at, ms);
}

interface Load {
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
class Drive {
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

const drive = (behaviours: Readonly<Record<string, Behaviour>>, load: Load = {}) =>
  new Drive(behaviours, load).run(load);

const oneOf = (bad: Behaviour, hosts = NAMES) =>
  Object.fromEntries(hosts.map((name, index) => [name, index === 0 ? bad : well]));

const FAULTS = [
  ['fails', failing, 'failures-in-a-row'],
  ['is 50 times slower', slow, 'hang'],
  ['hangs', hanging, 'hang'],
] as const;

describe('one of four hosts', () => {
  test.each(FAULTS)('%s: hardly a call is lost, and it comes back', (_, bad, reason) => {
    const { moves, share, set, callsTo, clock } = drive(oneOf(forAWhile(bad)));
    expect(share).toBeGreaterThan(0.998);
    expect(moves.map(({ host, what, finding }) => [host, what, finding.reason])).toEqual([
      ['a', 'ejected', reason],
      ['a', 'returned', reason],
    ]);
    expect(moves[0]?.at).toBeLessThan(FAULT_FROM_MS + 700);
    expect(moves[1]?.at).toBeGreaterThan(FAULT_TO_MS);
    expect(moves[1]?.at).toBeLessThan(FAULT_TO_MS + 5_000);
    const [last, ...others] = NAMES.map((name) => callsTo(name, 32_000, 35_000)).sort((a, b) => a - b);
    expect(last).toBeGreaterThan(0.7 * (others.at(-1) as number));
    expect(set.status(clock.now()).map(({ state }) => state)).toEqual(NAMES.map(() => 'in-use'));
  });

  test.each(FAULTS)('%s: it is tried with single calls, and less and less often', (_, bad) => {
    const begun = drive(oneOf(forAWhile(bad))).begun.filter(({ host }) => host === 'a');
    const trials = begun.filter(({ at }) => at > FAULT_FROM_MS + 700 && at < FAULT_TO_MS).map(({ at }) => at);
    expect(trials.length).toBeGreaterThanOrEqual(4);
    expect(trials.length).toBeLessThanOrEqual(7);
    const gaps = trials.slice(1).map((at, index) => at - (trials[index] as number));
    expect(gaps[0]).toBeGreaterThan(1_500);
    expect(gaps[1]).toBeGreaterThan(3_000);
    expect(Math.max(...gaps)).toBeLessThan(4_000 + 700);
  });

  test.each(FAULTS)('%s, and no call may be repeated: what is lost is what its trials cost', (_, bad) => {
    expect(drive(oneOf(forAWhile(bad)), { repeatable: 0 }).share).toBeGreaterThan(0.995);
  });

  test('answers half of its calls with errors', () => {
    const half = randomly(0.5, failing, 7);
    const { moves, share } = drive(oneOf(forAWhile(half)));
    expect(share).toBeGreaterThan(0.995);
    expect(moves[0]).toMatchObject({ host: 'a', what: 'ejected' });
    expect(moves[0]?.at).toBeLessThan(FAULT_FROM_MS + 2_000);
  });

  test('fails at one call a second: it is found all the same', () => {
    const { moves } = drive(oneOf(failing), { perSecond: 1, forMs: 90_000 });
    expect(moves.map(({ host, what }) => `${host} ${what}`)).toEqual(['a ejected']);
  });

  test('is slow, but answers in time: latency tells it', () => {
    const { moves } = drive(oneOf(forAWhile((_, ms) => ({ ms: 12 * ms, outcome: 'success' }))));
    expect(moves[0]).toMatchObject({ host: 'a', what: 'ejected', finding: { reason: 'latency' } });
    expect(moves[0]?.at).toBeLessThan(FAULT_FROM_MS + 3_000);
    expect(moves.map(({ what }) => what)).toEqual(['ejected', 'returned']);
    expect(moves[1]?.at).toBeGreaterThan(FAULT_TO_MS);
    expect(moves[1]?.at).toBeLessThan(FAULT_TO_MS + 5_000);
  });

  test('fails, and another: as many are left out as may be', () => {
    const behaviours = { a: failing, b: failing, c: well, d: well, e: well, f: well };
    expect(drive(behaviours, { forMs: 5_000 }).mostOut).toBe(2);
    const options = { maxEjectedShare: 0.2 };
    expect(drive(behaviours, { forMs: 5_000, options }).mostOut).toBe(1);
    expect(drive(behaviours, { forMs: 5_000, options: { maxEjectedShare: 0 } }).moves).toEqual([]);
  });

  test('comes back little by little', () => {
    const { moves, callsTo } = drive(oneOf(forAWhile(failing)), { options: { slowStartMs: 4_000 } });
    const at = moves.at(-1)?.at as number;
    const shares = [0, 1_000, 2_000, 3_000].map((from) => callsTo('a', at + from, at + from + 1_000) / 250);
    expect(shares[0]).toBeLessThan(0.1);
    expect(shares[1]).toBeLessThan(0.15);
    expect(shares[3]).toBeGreaterThan(0.15);
    expect(shares[2]).toBeGreaterThan(1.3 * (shares[1] as number));
  });
});

describe('what all hosts have is no outlier', () => {
  const everywhere = (bad: Behaviour) => Object.fromEntries(NAMES.map((name) => [name, bad]));
  const tail: Behaviour = randomly(0.01, slow, 3);

  test.each([
    ['all well', well, 250],
    ['a fifth of all calls fail', randomly(0.2, failing, 5), 250],
    ['half of all calls fail', randomly(0.5, failing, 6), 250],
    ['one in a hundred takes 50 times as long', tail, 250],
    ['a call a second', randomly(0.01, failing, 8), 1],
    ['all become slower', forAWhile((_, ms) => ({ ms: 8 * ms, outcome: 'success' })), 250],
    ['all hang', forAWhile(hanging), 250],
  ] as const)('%s', (_, behaviour, perSecond) => {
    for (const seed of [1, 2, 3]) {
      const { moves } = drive(everywhere(behaviour), { perSecond, seed, repeatable: 0 });
      expect(moves).toEqual([]);
    }
  });

  test('all fail: one may be left out before the others show it, and then all are used', () => {
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const { mostOut, callsTo, set, clock } = drive(everywhere(forAWhile(failing)), { seed });
      expect(mostOut).toBeLessThanOrEqual(1);
      for (const name of NAMES) expect(callsTo(name, 6_000, 10_000)).toBeGreaterThan(100);
      expect(set.status(clock.now()).map(({ state }) => state)).toEqual(NAMES.map(() => 'in-use'));
    }
  });

  test('two are out when the others fail too: all are used, and back as soon as the trouble is over', () => {
    const late: Behaviour = (at, ms) => (at >= 20_000 && at < FAULT_TO_MS ? failing : well)(at, ms);
    const { moves, callsTo } = drive({ a: forAWhile(failing), b: forAWhile(failing), c: late, d: late });
    expect(callsTo('a', 21_000, 24_000)).toBeGreaterThan(50);
    const returns = moves.filter(({ what }) => what === 'returned');
    expect(
      returns
        .map(({ host }) => host)
        .sort()
        .slice(0, 2),
    ).toEqual(['a', 'b']);
    for (const { at } of returns) expect(at).toBeLessThan(FAULT_TO_MS + 500);
  });

  test('three of four fail: all are used, and come back together', () => {
    const behaviours = { a: well, b: forAWhile(failing), c: forAWhile(failing), d: forAWhile(failing) };
    const { set, callsTo, clock, mostOut } = drive(behaviours);
    expect(mostOut).toBeLessThanOrEqual(2);
    for (const name of NAMES) expect(callsTo(name, 15_000, 20_000)).toBeGreaterThan(20);
    expect(set.panic).toBe(false);
    expect(set.status(clock.now()).map(({ state }) => state)).toEqual(NAMES.map(() => 'in-use'));
  });
});

test('in observe mode hosts are judged, and calls go to all', () => {
  const { moves, callsTo } = drive(oneOf(forAWhile(failing)), { acts: false });
  expect(moves.map(({ host, what }) => `${host} ${what}`)).toEqual(['a ejected', 'a returned']);
  expect(callsTo('a', FAULT_FROM_MS + 1_000, FAULT_TO_MS)).toBeGreaterThan(300);
});
