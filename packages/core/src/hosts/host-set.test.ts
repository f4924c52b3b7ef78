import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../time/random.ts';
import { VirtualClock } from '../time/virtual-clock.ts';
import {
  type Behaviour,
  drive,
  FAULT_FROM_MS,
  FAULT_TO_MS,
  failing,
  forAWhile,
  hanging,
  NAMES,
  oneOf,
  randomly,
  slow,
  well,
} from './host-set.lab.ts';
import { HostSet } from './host-set.ts';

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
    const { moves } = drive(oneOf(forAWhile((_, ms) => ({ ms: 6 * ms, outcome: 'success' }))));
    expect(moves[0]).toMatchObject({ host: 'a', what: 'ejected', finding: { reason: 'latency' } });
    expect(moves[0]?.at).toBeLessThan(FAULT_FROM_MS + 3_000);
    expect(moves.at(-1)?.at).toBeLessThan(FAULT_TO_MS + 5_000);
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

  test('three of four fail: all are used, and come back together', () => {
    const behaviours = { a: well, b: forAWhile(failing), c: forAWhile(failing), d: forAWhile(failing) };
    const { set, callsTo, clock, mostOut } = drive(behaviours);
    expect(mostOut).toBeLessThanOrEqual(2);
    for (const name of NAMES) expect(callsTo(name, 15_000, 20_000)).toBeGreaterThan(20);
    expect(set.panic).toBe(false);
    expect(set.status(clock.now()).map(({ state }) => state)).toEqual(NAMES.map(() => 'in-use'));
  });
});

test('whatever the hosts do, never more than the share is out, and a repeat goes elsewhere', () => {
  const step = fc.record({
    pauseMs: fc.integer({ min: 0, max: 400 }),
    lastsMs: fc.integer({ min: 0, max: 2_000 }),
    outcome: fc.constantFrom('success', 'failure', 'overload', 'ignored'),
    before: fc.boolean(),
  });
  const settings = {
    maxEjectedShare: fc.double({ min: 0, max: 1, noNaN: true }),
    size: fc.integer({ min: 1, max: 8 }),
  };
  fc.assert(
    fc.property(
      fc.record(settings),
      fc.array(step, { maxLength: 300 }),
      ({ maxEjectedShare, size }, steps) => {
        const clock = new VirtualClock();
        const names = Array.from({ length: size }, (_, index) => `h${index}`);
        const options = { maxEjectedShare, panicShare: 1, failures: 2, minimumCalls: 2 };
        const set = new HostSet(names, options, { clock, random: seededRandom(size) });
        const most =
          maxEjectedShare === 0 ? 0 : Math.min(size - 1, Math.max(1, Math.floor(size * maxEjectedShare)));
        let last: ReturnType<HostSet['choose']> | undefined;
        for (const { pauseMs, lastsMs, outcome, before } of steps) {
          clock.advanceSync(pauseMs);
          const call = set.choose(clock.now(), true, before ? last : undefined);
          if (before && size - set.out > 1) expect(call.host).not.toBe(last?.host);
          // Even hosts are well.
          const came = Number(call.host.name.slice(1)) % 2 === 0 ? 'success' : outcome;
          clock.setTimer(() => call.end(came, lastsMs, clock.now()), lastsMs);
          expect(set.out).toBeLessThanOrEqual(most);
          last = call;
        }
        clock.advanceSync(5_000);
        expect(set.status(clock.now()).map(({ inFlight }) => inFlight)).toEqual(names.map(() => 0));
      },
    ),
    { numRuns: 200 },
  );
});

describe('a set of hosts', () => {
  const make = (options = {}) => {
    const clock = new VirtualClock();
    const moves: string[] = [];
    const set = new HostSet(NAMES, options, {
      clock,
      random: seededRandom(1),
      onMove: ({ host, what }) => moves.push(`${host} ${what}`),
    });
    /** One call, which ends at once. */
    const ask = (bad: readonly string[], repeatable = true) => {
      const call = set.choose(clock.now(), repeatable);
      call.end(bad.includes(call.host.name) ? 'failure' : 'success', 10, clock.now());
      return call.host.name;
    };
    const stateOf = (name: string) => set.status(clock.now()).find(({ host }) => host === name)?.state;
    return { clock, set, moves, ask, stateOf };
  };

  test('a trial waits a second for a call that may be repeated; then it takes any', () => {
    const { clock, ask, stateOf } = make();
    while (stateOf('a') === 'in-use') ask(['a']);
    clock.advanceSync(1_300);
    for (let n = 0; n < 100; n++) expect(ask([], false)).not.toBe('a');
    expect(stateOf('a')).toBe('trial');
    expect(ask([])).toBe('a');
    clock.advanceSync(1_000);
    expect(ask([], false)).toBe('a');
  });

  test('what began before an ejection says nothing of the trial', () => {
    const { clock, set, ask, stateOf } = make();
    const early = Array.from({ length: 40 }, () => set.choose(clock.now()));
    for (const call of early) if (call.host.name !== 'a') call.end('success', 10, clock.now());
    const late = early.filter(({ host }) => host.name === 'a');
    expect(late.length).toBeGreaterThan(6);
    for (const call of late.splice(0, 3)) call.end('failure', 10, clock.now());
    for (let n = 0; n < 60; n++) ask([]);
    for (const call of late.splice(0, 2)) call.end('failure', 10, clock.now());
    expect(stateOf('a')).toBe('ejected');
    clock.advanceSync(1_300);
    expect(ask([])).toBe('a');
    expect(stateOf('a')).toBe('trial');
    for (const call of late) call.end('success', 10, clock.now());
    expect(stateOf('a')).toBe('trial');
  });

  test('callers that give up on a host that hangs are evidence; others are not', () => {
    for (const [ms, state] of [
      [600, 'ejected'],
      [50, 'in-use'],
    ] as const) {
      const { clock, set, ask, stateOf } = make();
      for (let n = 0; n < 60; n++) ask([]);
      clock.advanceSync(200);
      ask([]);
      for (let n = 0; n < 400; n++) {
        const call = set.choose(clock.now());
        if (call.host.name !== 'a') call.end('success', 10, clock.now());
        else clock.setTimer(() => call.end('ignored', undefined, clock.now()), ms);
        clock.advanceSync(20);
      }
      clock.advanceSync(100);
      expect(stateOf('a')).toBe(state);
    }
  });

  test('hosts come and go at run time: what is known of one that stays is kept, a new one starts slowly', () => {
    const { clock, set, ask, moves, stateOf } = make();
    while (stateOf('a') === 'in-use') ask(['a']);
    set.update(['a', 'b', 'e'], {}, clock.now());
    expect(set.status(clock.now()).map(({ host, state }) => `${host} ${state}`)).toEqual([
      'a ejected',
      'b in-use',
      'e in-use',
    ]);
    const first = Array.from({ length: 400 }, () => ask([])).filter((name) => name === 'e').length;
    expect(first).toBeLessThan(100);
    clock.advanceSync(2_000);
    for (let n = 0; n < 300; n++) ask([]);
    const later = Array.from({ length: 400 }, () => ask([])).filter((name) => name === 'e').length;
    expect(later).toBeGreaterThan(100);
    set.update(['a'], {}, clock.now());
    expect(ask([])).toBe('a');
    expect(moves.filter((move) => move.startsWith('a'))).toEqual(['a ejected', 'a returned']);
  });

  test('in observe mode hosts are judged, and calls go to all', () => {
    const { moves, callsTo } = drive(oneOf(forAWhile(failing)), { acts: false });
    expect(moves.map(({ host, what }) => `${host} ${what}`)).toEqual(['a ejected', 'a returned']);
    expect(callsTo('a', FAULT_FROM_MS + 1_000, FAULT_TO_MS)).toBeGreaterThan(300);
  });

  test('calls are spread evenly, and a call that ends twice counts once', () => {
    const { clock, set } = make();
    const counts = new Map<string, number>();
    for (let n = 0; n < 4_000; n++) {
      const call = set.choose(clock.now());
      counts.set(call.host.name, (counts.get(call.host.name) ?? 0) + 1);
      call.end('success', 5, clock.now());
      call.end('failure', 5, clock.now());
    }
    for (const name of NAMES) expect(counts.get(name)).toBeGreaterThan(850);
    expect(set.status(clock.now()).every(({ counts: { failure } }) => failure === 0)).toBe(true);
  });

  test('an answer that has begun is no hang, however long it is', () => {
    for (const [hears, state] of [
      [true, 'in-use'],
      [false, 'ejected'],
    ] as const) {
      const { clock, set, ask, stateOf } = make();
      for (let n = 0; n < 200; n++) ask([]);
      const held = Array.from({ length: 40 }, () => set.choose(clock.now()));
      for (const call of held) {
        if (call.host.name !== 'a') call.end('success', 10, clock.now());
        else if (hears) call.hear();
      }
      for (let n = 0; n < 60; n++) {
        ask([]);
        clock.advanceSync(20);
      }
      expect(stateOf('a')).toBe(state);
    }
  });

  test('a full host is passed by', () => {
    const { clock, set } = make();
    const held = Array.from({ length: 40 }, () => set.choose(clock.now()));
    const inFlight = set.status(clock.now()).map((host) => host.inFlight);
    expect(Math.max(...inFlight) - Math.min(...inFlight)).toBeLessThanOrEqual(3);
    expect(held).toHaveLength(40);
  });
});
