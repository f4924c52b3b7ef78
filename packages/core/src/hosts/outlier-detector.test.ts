import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CallLog, NO_CALLS, sumOf, typicalMs, without } from './call-log.ts';
import { OutlierDetector } from './outlier-detector.ts';

const calls = (answered: number, bad: number, latencyMs = 40) => ({
  began: answered,
  answered,
  bad,
  timed: answered - bad,
  logMs: (answered - bad) * Math.log(latencyMs),
});

describe('an outlier', () => {
  const detector = new OutlierDetector();

  test('by its rate of failures, once it is certain, and as long as it lasts', () => {
    const compare = (own: ReturnType<typeof calls>, peers: ReturnType<typeof calls>, good = 0.5) =>
      detector.byRate(own, peers, good);
    expect(compare(calls(9, 9), calls(300, 0))).toBeUndefined();
    expect(compare(calls(10, 10), calls(300, 0))).toMatchObject({
      reason: 'failure-rate',
      evidence: { calls: 10, failureRate: 1, peersFailureRate: 0 },
    });
    expect(compare(calls(10, 10), calls(300, 0), 0.91)).toBeUndefined();
    expect(compare(calls(10, 3), calls(300, 0))).toBeUndefined();
    expect(compare(calls(200, 60), calls(300, 0))).toBeDefined();
    expect(compare(calls(200, 60), calls(600, 120))).toBeUndefined();
    expect(compare(calls(200, 60), calls(9, 0))).toBeUndefined();
    expect(compare(calls(200, 200), calls(600, 150))).toBeDefined();
    expect(compare(calls(200, 200), calls(600, 151))).toBeUndefined();
  });

  test('by its latency, but not by a few ms', () => {
    expect(detector.byLatency(calls(10, 0, 201), calls(30, 0, 40))).toMatchObject({ reason: 'latency' });
    expect(detector.byLatency(calls(10, 0, 199), calls(30, 0, 40))).toBeUndefined();
    expect(detector.byLatency(calls(10, 0, 15), calls(30, 0, 1))).toBeUndefined();
    expect(
      new OutlierDetector({ slowFactor: 2 }).byLatency(calls(10, 0, 90), calls(30, 0, 40)),
    ).toBeDefined();
    expect(detector.canTime(calls(9, 0), calls(30, 0))).toBe(false);
    expect(detector.canTime(calls(10, 0), calls(9, 0))).toBe(false);
    expect(detector.canTime(calls(10, 0), calls(10, 0))).toBe(true);
  });

  test('by failures in a row, more of them where its peers fail too', () => {
    expect(detector.inARow(4, calls(100, 0))).toBeUndefined();
    expect(detector.inARow(5, calls(100, 0))).toMatchObject({ reason: 'failures-in-a-row' });
    expect(detector.inARow(5, NO_CALLS)).toBeDefined();
    expect(detector.inARow(8, calls(100, 20))).toBeUndefined();
    expect(detector.inARow(9, calls(100, 20))).toBeDefined();
  });

  test('by calls that hang while its peers answer', () => {
    expect(detector.byHang({ stuck: 3, good: 0, bad: 0 }, { stuck: 0, good: 20, bad: 0 })).toMatchObject({
      reason: 'hang',
    });
    expect(detector.byHang({ stuck: 2, good: 0, bad: 0 }, { stuck: 0, good: 20, bad: 0 })).toBeUndefined();
    expect(detector.byHang({ stuck: 3, good: 1, bad: 0 }, { stuck: 0, good: 20, bad: 0 })).toBeUndefined();
    expect(detector.byHang({ stuck: 9, good: 0, bad: 0 }, { stuck: 9, good: 20, bad: 0 })).toBeUndefined();
    expect(detector.byHang({ stuck: 3, good: 0, bad: 0 }, { stuck: 0, good: 0, bad: 0 })).toBeUndefined();
    expect(detector.byHang({ stuck: 3, good: 0, bad: 0 }, { stuck: 0, good: 20, bad: 9 })).toBeUndefined();
  });

  test('a hang is ten times what calls take, 250 ms at least, or what the user says', () => {
    expect(detector.hangMs(calls(9, 0))).toBeUndefined();
    expect(detector.hangMs(calls(10, 0, 40))).toBeCloseTo(400);
    expect(detector.hangMs(calls(10, 0, 2))).toBe(250);
    expect(new OutlierDetector({ hangMs: 700 }).hangMs(NO_CALLS)).toBe(700);
  });

  test('is looked for with settings that are checked', () => {
    expect(() => new OutlierDetector({ failures: 0 })).toThrow('outlier.failures');
  });
});

test('a log gives what happened since its last sample before a moment, whatever came before', () => {
  const event = fc.record({
    gap: fc.integer({ min: 1, max: 250 }),
    outcome: fc.constantFrom('success', 'failure', 'overload', 'ignored'),
    sampled: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 100 }),
      fc.integer({ min: 0, max: 12_000 }),
      (events, backMs) => {
        const log = new CallLog();
        let now = 1_000;
        const known: { at: number; outcome: string }[] = [];
        const samples: number[] = [];
        for (const { gap, outcome, sampled } of events) {
          now += gap;
          log.enter();
          log.hear();
          log.leave(outcome, 10, now);
          known.push({ at: now, outcome });
          if (sampled) {
            log.sample(now);
            samples.push(now);
          }
        }
        const from = samples.findLast((at) => at <= now - backMs) ?? 0;
        const seen = known.filter(({ at }) => at > from);
        const figures = log.since(now - backMs);
        expect(figures.began).toBe(seen.length);
        expect(figures.answered).toBe(seen.filter(({ outcome }) => outcome !== 'ignored').length);
        expect(figures.bad).toBe(
          seen.filter(({ outcome }) => outcome === 'failure' || outcome === 'overload').length,
        );
        expect(figures.timed).toBe(seen.filter(({ outcome }) => outcome === 'success').length);
        if (figures.timed > 0) expect(typicalMs(figures)).toBeCloseTo(10);
        expect(log.waiting).toBe(0);
        expect(without(sumOf([figures, figures]), figures)).toEqual(figures);
      },
    ),
  );
});

test('bad answers more than a minute apart are not in a row', () => {
  const log = new CallLog();
  for (const at of [0, 60_000, 120_001]) {
    log.enter();
    log.hear();
    log.leave('failure', undefined, at);
  }
  expect(log.streak).toBe(1);
});
