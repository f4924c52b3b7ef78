import { describe, expect, test } from 'vitest';
import { closed, open, shareCircuit } from '../../../../test/fleet/harness/shared-circuit.ts';
import type { Source } from './shared-circuit.ts';

describe('a view', () => {
  test.each<Source>(['reply', 'news'])('is adopted where there was none, by %s', (source) => {
    const { target, circuit, take, clock } = shareCircuit();
    expect(take(open(7), source)).toBe(true);
    expect(circuit.view).toEqual(open(7));
    expect(target.transitions).toMatchObject([{ to: 'open', reason: 'fleet-opened' }]);
    clock.advanceSync(999);
    expect(target.state).toBe('open');
    clock.advanceSync(1);
    expect(target.state).toBe('half-open');
  });

  test('of a higher epoch opens, and closes', () => {
    const { target, circuit, take } = shareCircuit();
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
    const { target, circuit, take } = shareCircuit();
    take(open(5));
    expect(take(closed(4), source)).toBe(true);
    expect([target.state, circuit.epoch]).toEqual(['open', 5]);
    expect(circuit.wantsSeed).toBe(lost);
  });

  test('of the same epoch and another record is adopted by a reply alone', () => {
    const { circuit, take } = shareCircuit();
    take(closed(5));
    expect(take(open(5, { epochId: 'another' }), 'news')).toBe(false);
    expect(circuit.view).toEqual(closed(5));
    expect(take(open(5, { epochId: 'another' }))).toBe(true);
    expect(circuit.view?.epochId).toBe('another');
  });

  test('that is known changes nothing: an open circuit is due when it was', () => {
    const { target, circuit, take, clock } = shareCircuit();
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
    const { target, circuit, take } = shareCircuit();
    take(closed(5));
    expect(take(open(5 + leap), 'news')).toBe(believed);
    expect(target.state).toBe(believed ? 'open' : 'closed');
    expect(take(open(5 + leap))).toBe(true);
    expect(circuit.epoch).toBe(5 + leap);
  });

  test('of a far epoch is not believed when it is the first word, and news', () => {
    const { circuit, take } = shareCircuit();
    expect(take(open(1_001), 'news')).toBe(false);
    expect(circuit.view).toBeUndefined();
    expect(take(open(1_000), 'news')).toBe(true);
  });

  test('of no record is nothing new, or shows that writes were lost', () => {
    const { circuit, take } = shareCircuit();
    expect(take(closed(0))).toBe(true);
    expect([circuit.view, circuit.wantsSeed]).toEqual([undefined, false]);
    take(open(3));
    expect(take(closed(0))).toBe(true);
    expect([circuit.epoch, circuit.wantsSeed]).toEqual([3, true]);
  });

  test('holds a circuit open for no longer than a minute, whatever it says', () => {
    const { target, take, clock } = shareCircuit();
    take(open(1, { remainingMs: 86_400_000 }));
    clock.advanceSync(59_999);
    expect(target.state).toBe('open');
    clock.advanceSync(1);
    expect(target.state).toBe('half-open');
  });

  test('holds one longer where its own settings do', () => {
    const { target, take, clock } = shareCircuit({ circuit: { maxOpenMs: 300_000 } });
    take(open(1, { remainingMs: 86_400_000 }));
    clock.advanceSync(299_999);
    expect(target.state).toBe('open');
    clock.advanceSync(1);
    expect(target.state).toBe('half-open');
  });
});

describe('what happened here', () => {
  test('does not close by the word of the fleet where it has opened the circuit', () => {
    const { target, take } = shareCircuit();
    take(closed(1));
    target.calls(5, 'failure');
    expect(target.state).toBe('open');
    take(closed(2));
    expect(target.state).toBe('open');
  });

  test('is forgotten where an opening and a closing were missed', () => {
    const { target, take, clock } = shareCircuit();
    take(closed(1));
    target.calls(4, 'failure');
    take(closed(3));
    expect(target.breaker.countsAt(clock.now()).calls).toBe(0);
    target.calls(1, 'failure');
    expect(target.state).toBe('closed');
  });

  test('is kept where nothing was missed', () => {
    const { target, take, clock } = shareCircuit();
    target.calls(4, 'failure');
    take(closed(3));
    take(closed(3, { epochId: 'another' }));
    expect(target.breaker.countsAt(clock.now()).calls).toBe(4);
  });
});

describe('what closes here while the fleet holds it open', () => {
  function closedHere() {
    const world = shareCircuit();
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

  test('tells nothing: a report would make a closed record of one that was lost', () => {
    const { target, take, report } = closedHere();
    target.calls(2, 'failure');
    expect(report()).toBeUndefined();
    take(closed(2));
    expect(report()).toMatchObject({ epochId: 't-2', failures: 2 });
  });
});

describe('while the store is away', () => {
  test('an open circuit stays open until it is due, and is then tried by its own probes', () => {
    const { target, circuit, take, clock } = shareCircuit();
    take(open(1));
    circuit.standAlone();
    clock.advanceSync(999);
    expect(target.begin()).toBe(0);
    clock.advanceSync(1);
    target.calls(2, 'success');
    expect(target.state).toBe('closed');
  });

  test('what is still open when it comes back is in the hands of the fleet again', () => {
    const { target, circuit, take, clock } = shareCircuit();
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
    const { circuit, take, clock } = shareCircuit();
    take(open(1));
    const [usableFrom, usableUntil, endsAt] = [clock.now(), clock.now() + 2_000, clock.now() + 3_000];
    const lease = { token: 'x', epochId: 't-1', usableFrom, usableUntil, endsAt, timeoutMs: 1_000 };
    circuit.probing.trial.lease = lease;
    circuit.standAlone();
    expect(circuit.probing.trial.freeAt(clock.now())).toBe(0);
  });

  test('a closed one just stays closed', () => {
    const { target, circuit, take, clock } = shareCircuit();
    take(closed(1));
    circuit.standAlone();
    circuit.rejoin(clock.now());
    expect(target.transitions).toEqual([]);
  });
});
