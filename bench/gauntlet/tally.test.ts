import { describe, expect, test } from 'vitest';
import type { Times } from './scenario.ts';
import { Tally } from './tally.ts';
import type { Answer, Attempt } from './world/attempt.ts';
import type { CallRequest } from './world/call-request.ts';

const times: Times = {
  stretch: 1,
  startAt: 0,
  faultAt: 10_000,
  mendedAt: 11_000,
  windowEndsAt: 21_000,
  arrivalsEndAt: 24_000,
  endsAt: 25_000,
};

/** One request each 10 ms, of which those are good that `isGood` says. */
function tallied(isGood: (at: number) => boolean): Tally {
  const tally = new Tally(times);
  for (let at = 0; at < times.arrivalsEndAt; at += 10) {
    const request = { at, attempts: 1 } as CallRequest;
    tally.arrived(request);
    if (isGood(at)) tally.good(request, { attempt: { beganAt: at, workMs: 40 } } as Answer, at + 40);
  }
  return tally;
}

describe('recovery', () => {
  const inFault = (at: number) => times.faultAt <= at && at < times.mendedAt;

  test.each([
    ['at once', (at: number) => !inFault(at), 0],
    ['after 2 s', (at: number) => at < times.faultAt || at >= times.mendedAt + 2_000, 2_000],
    ['never', (at: number) => at < times.faultAt, undefined],
    [
      'not while it does not hold for 3 s',
      (at: number) => !inFault(at) && !(times.mendedAt + 2_000 <= at && at < times.mendedAt + 2_500),
      2_500,
    ],
  ])('%s', (_name, isGood, expected) => {
    expect(tallied(isGood).measures.recoveryMs).toBe(expected);
  });
});

describe('measures', () => {
  test('are over the window alone', () => {
    const { offered, good, p50, p99, requests } = tallied((at) => at >= times.mendedAt).measures;
    expect({ offered, good, p50, p99 }).toEqual({ offered: 1_100, good: 1_000, p50: 40, p99: 40 });
    expect(requests).toBe(2_400);
  });

  test('work that nobody had an answer of is wasted', () => {
    const tally = new Tally(times);
    const attempts = [0, 1, 2, 3].map(
      (id) =>
        ({
          beganAt: times.faultAt,
          workMs: 40,
          request: { id, at: times.faultAt } as CallRequest,
        }) as Attempt,
    );
    for (const attempt of attempts) {
      tally.arrived(attempt.request);
      tally.began(attempt);
    }
    const [used] = attempts as [Attempt];
    tally.good(used.request, { attempt: used } as Answer, times.faultAt + 40);
    expect(tally.measures.wasted).toBe(0.75);
  });

  test('work on what is not safe to repeat, begun twice, is counted once', () => {
    const tally = new Tally(times);
    for (const executions of [1, 2, 3]) {
      tally.began({ request: { idempotent: false, executions } as CallRequest } as Attempt);
      tally.began({ request: { idempotent: true, executions } as CallRequest } as Attempt);
    }
    expect(tally.measures.unsafe).toBe(1);
  });
});
