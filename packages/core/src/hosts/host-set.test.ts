import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../time/random.ts';
import { VirtualClock } from '../time/virtual-clock.ts';
import { HostSet } from './host-set.ts';

const NAMES = ['a', 'b', 'c', 'd'];

test('whatever the hosts do, never more than the share is out, and a repeat goes elsewhere', () => {
  const step = fc.record({
    pauseMs: fc.integer({ min: 0, max: 40 }),
    lastsMs: fc.integer({ min: 0, max: 300 }),
    outcome: fc.oneof(
      { weight: 20, arbitrary: fc.constant('success' as const) },
      fc.constantFrom('failure', 'overload', 'ignored'),
    ),
    before: fc.boolean(),
  });
  const settings = {
    maxEjectedShare: fc.double({ min: 0, max: 1, noNaN: true }),
    size: fc.integer({ min: 1, max: 12 }),
  };
  fc.assert(
    fc.property(
      fc.record(settings),
      fc.array(step, { minLength: 150, maxLength: 300 }),
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
          // The first quarter of them always fails.
          const came = Number(call.host.name.slice(1)) < size / 4 ? 'failure' : outcome;
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

  test('the last host that is left is in use, however bad', () => {
    const { clock, set, ask, moves, stateOf } = make();
    while (stateOf('a') === 'in-use') ask(['a']);
    set.update(['a'], {}, clock.now());
    expect(stateOf('a')).toBe('in-use');
    expect(moves).toEqual(['a ejected', 'a returned']);
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
