import { describe, expect, test } from 'vitest';
import { closed, open, shareCircuit } from '../../../../test/fleet/harness/shared-circuit.ts';

describe('a report', () => {
  test('is made of the window, under what is believed', () => {
    const { target, take, report } = shareCircuit();
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
    const { target, report } = shareCircuit();
    const reports = [1, 2, 3].map(() => {
      target.calls(1, 'success');
      target.calls(1, 'failure');
      return report();
    });
    expect(new Set(reports.map((made) => made?.nextId)).size).toBe(3);
    expect(new Set(reports.map((made) => made?.openTerms.chance)).size).toBe(3);
  });

  test('says for how long the upstream asked to be let alone', () => {
    const { target, report, clock } = shareCircuit();
    target.breaker.record(target.begin(), 'overload', 1, clock.now(), 8_000);
    target.calls(2, 'failure');
    expect(report()?.openTerms.noticeMs).toBe(8_000);
  });

  test('is not made while the fleet holds the circuit open, but while it is open here alone', () => {
    const { target, circuit, take, report, clock } = shareCircuit();
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
    const { circuit, take, clock } = shareCircuit();
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
    const { circuit, take, clock } = shareCircuit();
    take(closed(5, { remainingMs: 700 }));
    expect(circuit.seed(clock.now())?.view).toEqual(closed(5));
  });
});

describe("a person's decision", () => {
  const FORCED = { forced: 'open', forcedVersion: 2, forcedToken: 'me' } as const;

  test('holds here too, and is given back', () => {
    const { target, circuit, take } = shareCircuit();
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
    const { target, take } = shareCircuit();
    take(closed(1));
    take(closed(1, FORCED));
    expect(target.breaker.forced).toBe('open');
  });

  test('is kept when a higher epoch comes that knows nothing of it, and is told to the store', () => {
    const { target, circuit, take } = shareCircuit();
    take(closed(2, FORCED));
    expect(take(closed(3, { forcedVersion: 1, forcedToken: 'earlier' }))).toBe(true);
    expect(circuit.view).toEqual(closed(3, FORCED));
    expect(target.breaker.forced).toBe('open');
    expect(circuit.wantsSeed).toBe(true);
  });

  test('is told to a store that has forgotten it in the same epoch', () => {
    const { circuit, take, clock } = shareCircuit();
    take(closed(2, FORCED));
    take(closed(2));
    expect(circuit.wantsSeed).toBe(true);
    expect(circuit.seed(clock.now())?.view).toMatchObject(FORCED);
  });

  test('taken in this process alone stays, whatever else the fleet believes', () => {
    const { target, take, clock } = shareCircuit();
    take(closed(1));
    target.breaker.force('open', clock.now(), 'maintenance');
    take(open(2));
    take(closed(3));
    expect([target.breaker.forced, target.breaker.forcedDetail]).toEqual(['open', 'maintenance']);
  });

  test('that was taken here keeps its words when the fleet repeats it', () => {
    const { target, take, clock } = shareCircuit();
    target.breaker.force('open', clock.now(), 'maintenance');
    take(closed(2, FORCED));
    expect(target.breaker.forcedDetail).toBe('maintenance');
  });

  test('to close beats a fleet that opens', () => {
    const { target, take } = shareCircuit();
    take(closed(2, { ...FORCED, forced: 'closed' }));
    take(open(3, { ...FORCED, forced: 'closed' }));
    expect(target.state).toBe('closed');
  });
});
