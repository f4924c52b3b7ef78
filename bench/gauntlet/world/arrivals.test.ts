import { describe, expect, test } from 'vitest';
import { FIGURES } from '../figures.ts';
import { type Load, timesOf } from '../scenario.ts';
import { arrivals } from './arrivals.ts';

const times = timesOf({ name: '', title: '', about: '' }, 0, 1);
const all = (load: Load, seed = 1) => [...arrivals(load, times, seed)];

function perSecond(load: Load, from: number, to: number): number {
  const counts = [1, 2].map((seed) => all(load, seed).filter(({ at }) => from <= at && at < to).length);
  return counts.reduce((sum, count) => sum + count, 0) / counts.length / ((to - from) / 1_000);
}

describe('arrivals', () => {
  test('come as often as the load says, before, in and after the fault', () => {
    const load = { perSecond: 250, perSecondInFault: 1_000 };
    expect(perSecond(load, times.startAt, times.faultAt) / 250).toBeCloseTo(1, 1);
    expect(perSecond(load, times.faultAt, times.mendedAt) / 1_000).toBeCloseTo(1, 1);
    expect(perSecond(load, times.mendedAt, times.windowEndsAt) / 250).toBeCloseTo(1, 1);
  });

  test('those who waited come on top of the others', () => {
    const load = { returning: { requests: 1_000, overMs: 2_000 } };
    expect(perSecond(load, times.mendedAt, times.mendedAt + 2_000) / 750).toBeCloseTo(1, 1);
  });

  test('swing around the mean', () => {
    const load = { swing: { share: 0.6, periodMs: times.mendedAt - times.faultAt } };
    const half = (times.faultAt + times.mendedAt) / 2;
    expect(perSecond(load, times.faultAt, half) / (250 * (1 + (0.6 * 2) / Math.PI))).toBeCloseTo(1, 1);
    expect(perSecond(load, half, times.mendedAt) / (250 * (1 - (0.6 * 2) / Math.PI))).toBeCloseTo(1, 1);
  });

  test('gaps are those of a Poisson process: their deviation is their mean', () => {
    const gaps = all({}).map(({ at }, index, list) => at - (list[index - 1]?.at ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
    expect(mean).toBeCloseTo(4, 0);
    expect(deviation / mean).toBeCloseTo(1, 1);
  });

  test('have the shares of the figures', () => {
    const requests = all({});
    const share = (is: (request: (typeof requests)[number]) => boolean) =>
      requests.filter(is).length / requests.length;
    expect(share(({ idempotent }) => idempotent)).toBeCloseTo(FIGURES.idempotentShare, 1);
    expect(share(({ priority }) => priority === 'critical')).toBeCloseTo(FIGURES.priorities.critical, 1);
    expect(share(({ route }) => route === 0)).toBeCloseTo(FIGURES.firstRouteShare, 1);
    expect(Math.max(...requests.map(({ route }) => route))).toBe(FIGURES.routes - 1);
  });

  test('are the same for a seed, and others for another', () => {
    expect(all({}, 7)).toEqual(all({}, 7));
    expect(all({}, 7)[0]).not.toEqual(all({}, 8)[0]);
  });
});
