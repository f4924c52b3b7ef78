import { describe, expect, test } from 'vitest';
import { DrivenTarget } from '../../../../test/fleet/harness/driven-target.ts';
import { openView, viewOf } from '../../../../test/fleet/harness/scripted-store.ts';
import type { TargetOptions } from '../config/schema.ts';
import type { FleetView } from '../store/store.ts';
import { seededRandom } from '../time/random.ts';
import { VirtualClock } from '../time/virtual-clock.ts';
import { SharedCircuit, type Source } from './shared-circuit.ts';

function setup(options: TargetOptions = {}) {
  const clock = new VirtualClock();
  const target = new DrivenTarget(clock, 't', options);
  const circuit = new SharedCircuit(target, seededRandom(1));
  const take = (view: FleetView, source: Source = 'reply') => circuit.take(view, source, clock.now());
  const report = () => circuit.report(clock.now());
  return { clock, target, circuit, take, report };
}

const closed = (epoch: number, more: Partial<FleetView> = {}) => viewOf('t', { epoch, ...more });
const open = (epoch: number, more: Partial<FleetView> = {}) => openView('t', { epoch, ...more });

describe('a view', () => {
  test.each<Source>(['reply', 'news'])('is adopted where there was none, by %s', (source) => {
    const { target, circuit, take, clock } = setup();
    expect(take(open(7), source)).toBe(true);
    expect(circuit.view).toEqual(open(7));
    expect(target.transitions).toMatchObject([{ to: 'open', reason: 'fleet-opened' }]);
    clock.advanceSync(999);
    expect(target.state).toBe('open');
    clock.advanceSync(1);
    expect(target.state).toBe('half-open');
  });

  test('of a higher epoch opens, and closes', () => {
    const { target, circuit, take } = setup();
    take(closed(1));
    take(open(2), 'news');
    expect([target.state, circuit.epoch, circuit.isUnsettled]).toEqual(['open', 2, true]);
    take(closed(3), 'news');
    expect([target.state, circuit.epoch, circuit.isUnsettled]).toEqual(['closed', 3, false]);
    expect(target.transitions.at(-1)).toMatchObject({ reason: 'fleet-closed' });
  });

  test.each<[Source, boolean]>([
    ['reply', true],
    ['news', false],
  ])('of a lower epoch is never adopted; a %s shows that writes were lost: %s', (source, lost) => {
    const { target, circuit, take } = setup();
    take(open(5));
    expect(take(closed(4), source)).toBe(true);
    expect([target.state, circuit.epoch]).toEqual(['open', 5]);
    expect(circuit.wantsSeed).toBe(lost);
  });

  test('of the same epoch and another record is adopted by a reply alone', () => {
    const { circuit, take } = setup();
    take(closed(5));
    expect(take(open(5, { epochId: 'another' }), 'news')).toBe(false);
    expect(circuit.view).toEqual(closed(5));
    expect(take(open(5, { epochId: 'another' }))).toBe(true);
    expect(circuit.view?.epochId).toBe('another');
  });

  test('that is known changes nothing: an open circuit is due when it was', () => {
    const { target, circuit, take, clock } = setup();
    take(open(5));
    const { view } = circuit;
    clock.advanceSync(600);
    take(open(5, { reporters: 3 }));
    expect(circuit.view).toBe(view);
    clock.advanceSync(400);
    expect(target.state).toBe('half-open');
  });

  test.each([
    [1_000, true],
    [1_001, false],
  ])('that leaps by %i is believed when it is news: %s', (leap, believed) => {
    const { target, circuit, take } = setup();
    take(closed(5));
    expect(take(open(5 + leap), 'news')).toBe(believed);
    expect(target.state).toBe(believed ? 'open' : 'closed');
    expect(take(open(5 + leap))).toBe(true);
    expect(circuit.epoch).toBe(5 + leap);
  });

  test('of no record is nothing new, or shows that writes were lost', () => {
    const { circuit, take } = setup();
    expect(take(closed(0))).toBe(true);
    expect([circuit.view, circuit.wantsSeed]).toEqual([undefined, false]);
    take(open(3));
    expect(take(closed(0))).toBe(true);
    expect([circuit.epoch, circuit.wantsSeed]).toEqual([3, true]);
  });

  test('holds a circuit open for no longer than a minute, whatever it says', () => {
    const { target, take, clock } = setup();
    take(open(1, { remainingMs: 86_400_000 }));
    clock.advanceSync(59_999);
    expect(target.state).toBe('open');
    clock.advanceSync(1);
    expect(target.state).toBe('half-open');
  });

  test('holds one longer where its own settings do', () => {
    const { target, take, clock } = setup({ circuit: { maxOpenMs: 300_000 } });
    take(open(1, { remainingMs: 86_400_000 }));
    clock.advanceSync(299_999);
    expect(target.state).toBe('open');
    clock.advanceSync(1);
    expect(target.state).toBe('half-open');
  });
});

describe('what happened here', () => {
  test('does not close by the word of the fleet where it has opened the circuit', () => {
    const { target, take } = setup();
    take(closed(1));
    target.calls(5, 'failure');
    expect(target.state).toBe('open');
    take(closed(2));
    expect(target.state).toBe('open');
  });

  test('is forgotten where an opening and a closing were missed', () => {
    const { target, take, clock } = setup();
    take(closed(1));
    target.calls(4, 'failure');
    take(closed(3));
    expect(target.breaker.countsAt(clock.now()).calls).toBe(0);
    target.calls(1, 'failure');
    expect(target.state).toBe('closed');
  });

  test('is kept where nothing was missed', () => {
    const { target, take, clock } = setup();
    target.calls(4, 'failure');
    take(closed(3));
    take(closed(3, { epochId: 'another' }));
    expect(target.breaker.countsAt(clock.now()).calls).toBe(4);
  });
});

describe('what closes here while the fleet holds it open', () => {
  function closedHere() {
    const world = setup();
    world.take(open(1));
    world.circuit.standAlone();
    world.clock.advanceSync(1_000);
    world.target.calls(2, 'success');
    world.circuit.rejoin(world.clock.now());
    expect([world.target.state, world.target.breaker.isFleets]).toEqual(['closed', false]);
    return world;
  }

  test('keeps its window when the fleet closes too', () => {
    const { target, take, clock } = closedHere();
    target.calls(4, 'failure');
    take(closed(2));
    expect(target.breaker.countsAt(clock.now()).calls).toBe(4);
  });

  test('goes on telling what it sees', () => {
    const { target, report } = closedHere();
    target.calls(2, 'failure');
    expect(report()).toMatchObject({ epochId: 't-1', failures: 2 });
  });
});

describe('a report', () => {
  test('is made of the window, under what is believed', () => {
    const { target, take, report } = setup();
    target.calls(2, 'failure');
    expect(report()).toMatchObject({
      target: 't',
      epoch: 0,
      epochId: '',
      calls: 2,
      failures: 2,
      open: false,
    });
    take(closed(4));
    target.calls(1, 'failure');
    expect(report()).toMatchObject({
      epoch: 4,
      epochId: 't-4',
      streak: 3,
      terms: { failureRate: 0.5, minimumCalls: 20, streak: 20, windowMs: 10_000, quorum: 0.5 },
      openTerms: { openMs: 1_000, maxOpenMs: 2_000, noticeMs: 0 },
    });
  });

  test('brings another id and other chance each time', () => {
    const { target, report } = setup();
    const reports = [1, 2, 3].map(() => {
      target.calls(1, 'success');
      target.calls(1, 'failure');
      return report();
    });
    expect(new Set(reports.map((made) => made?.nextId)).size).toBe(3);
    expect(new Set(reports.map((made) => made?.openTerms.chance)).size).toBe(3);
  });

  test('says for how long the upstream asked to be let alone', () => {
    const { target, report, clock } = setup();
    target.breaker.record(target.begin(), 'overload', 1, clock.now(), 8_000);
    target.calls(2, 'failure');
    expect(report()?.openTerms.noticeMs).toBe(8_000);
  });

  test('is not made while the fleet holds the circuit open, but while it is open here alone', () => {
    const { target, circuit, take, report, clock } = setup();
    target.calls(5, 'failure');
    circuit.evidence.freeze(clock.now());
    take(closed(1));
    expect(report()).toMatchObject({ epochId: 't-1', open: true, failures: 5 });
    take(open(2));
    clock.advanceSync(500);
    expect(report()).toBeUndefined();
    take(closed(3));
    expect(report()).toBeUndefined();
  });
});

describe('a seed', () => {
  test('is what is believed, with what is left of the open time', () => {
    const { circuit, take, clock } = setup();
    expect(circuit.seed(clock.now())).toBeUndefined();
    take(open(5, { openings: 3 }));
    clock.advanceSync(400);
    expect(circuit.seed(clock.now())).toEqual({
      view: open(5, { openings: 3, remainingMs: 600 }),
      maxOpenMs: 60_000,
      nextId: expect.stringMatching(/^[0-9a-z]{8,64}$/),
    });
    clock.advanceSync(700);
    expect(circuit.seed(clock.now())?.view.remainingMs).toBe(0);
  });

  test('of a closed target has none left', () => {
    const { circuit, take, clock } = setup();
    take(closed(5, { remainingMs: 700 }));
    expect(circuit.seed(clock.now())?.view).toEqual(closed(5));
  });
});

describe("a person's decision", () => {
  const FORCED = { forced: 'open', forcedVersion: 2, forcedToken: 'me' } as const;

  test('holds here too, and is given back', () => {
    const { target, circuit, take } = setup();
    take(closed(1));
    take(closed(2, FORCED), 'news');
    expect([target.breaker.forced, target.state, circuit.isUnsettled]).toEqual(['open', 'open', true]);
    expect(target.transitions.at(-1)).toMatchObject({
      reason: 'forced',
      detail: 'by a decision for the fleet',
    });
    take(closed(3, { forcedVersion: 3 }), 'news');
    expect([target.breaker.forced, circuit.isUnsettled]).toEqual([null, false]);
  });

  test('in the same epoch is heard where it is newer', () => {
    const { target, take } = setup();
    take(closed(1));
    take(closed(1, FORCED));
    expect(target.breaker.forced).toBe('open');
  });

  test('is kept when a higher epoch comes that knows nothing of it, and is told to the store', () => {
    const { target, circuit, take } = setup();
    take(closed(2, FORCED));
    expect(take(closed(3, { forcedVersion: 1, forcedToken: 'earlier' }))).toBe(true);
    expect(circuit.view).toEqual(closed(3, FORCED));
    expect(target.breaker.forced).toBe('open');
    expect(circuit.wantsSeed).toBe(true);
  });

  test('is told to a store that has forgotten it in the same epoch', () => {
    const { circuit, take, clock } = setup();
    take(closed(2, FORCED));
    take(closed(2));
    expect(circuit.wantsSeed).toBe(true);
    expect(circuit.seed(clock.now())?.view).toMatchObject(FORCED);
  });

  test('taken in this process alone stays, whatever else the fleet believes', () => {
    const { target, take, clock } = setup();
    take(closed(1));
    target.breaker.force('open', clock.now(), 'maintenance');
    take(open(2));
    take(closed(3));
    expect([target.breaker.forced, target.breaker.forcedDetail]).toEqual(['open', 'maintenance']);
  });

  test('that was taken here keeps its words when the fleet repeats it', () => {
    const { target, take, clock } = setup();
    target.breaker.force('open', clock.now(), 'maintenance');
    take(closed(2, FORCED));
    expect(target.breaker.forcedDetail).toBe('maintenance');
  });

  test('to close beats a fleet that opens', () => {
    const { target, take } = setup();
    take(closed(2, { ...FORCED, forced: 'closed' }));
    take(open(3, { ...FORCED, forced: 'closed' }));
    expect(target.state).toBe('closed');
  });
});

describe('while the store is away', () => {
  test('an open circuit stays open until it is due, and is then tried by its own probes', () => {
    const { target, circuit, take, clock } = setup();
    take(open(1));
    circuit.standAlone();
    clock.advanceSync(999);
    expect(target.begin()).toBe(0);
    clock.advanceSync(1);
    target.calls(2, 'success');
    expect(target.state).toBe('closed');
  });

  test('what is still open when it comes back is in the hands of the fleet again', () => {
    const { target, circuit, take, clock } = setup();
    take(open(1));
    circuit.standAlone();
    clock.advanceSync(500);
    circuit.rejoin(clock.now());
    expect(target.breaker.isFleets).toBe(true);
    clock.advanceSync(500);
    expect(target.begin()).toBe(0);
    expect(target.state).toBe('half-open');
  });

  test('leases of before are not used', () => {
    const { circuit, take, clock } = setup();
    take(open(1));
    const [usableFrom, usableUntil, endsAt] = [clock.now(), clock.now() + 2_000, clock.now() + 3_000];
    const lease = { token: 'x', epochId: 't-1', usableFrom, usableUntil, endsAt, timeoutMs: 1_000 };
    circuit.probing.trial.lease = lease;
    circuit.standAlone();
    expect(circuit.probing.trial.freeAt(clock.now())).toBe(0);
  });

  test('a closed one just stays closed', () => {
    const { target, circuit, take, clock } = setup();
    take(closed(1));
    circuit.standAlone();
    circuit.rejoin(clock.now());
    expect(target.transitions).toEqual([]);
  });
});
