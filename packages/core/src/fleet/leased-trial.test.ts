import { describe, expect, test } from 'vitest';
import type { ProbeVerdict } from '../circuit/trial.ts';
import { type Lease, LeasedTrial } from './leased-trial.ts';

const lease: Lease = {
  token: 'x',
  epochId: 'e',
  usableFrom: 1_000,
  usableUntil: 2_000,
  endsAt: 3_100,
  timeoutMs: 1_000,
};

function setup() {
  const verdicts: [string, ProbeVerdict][] = [];
  const trial = new LeasedTrial(500, ({ token }, verdict) => verdicts.push([token, verdict]));
  return { trial, verdicts };
}

describe('a trial by lease', () => {
  test('lets nobody in without one, and says when to come again', () => {
    const { trial } = setup();
    expect(trial.freeAt(1_500)).toBe(0);
    expect(trial.grant(7, 1_500)).toBe(false);
    expect(trial.busy).toBe(false);
    expect(trial.waitMs()).toBe(500);
  });

  test.each([
    [999, 0],
    [1_000, 1],
    [2_000, 1],
    [2_001, 0],
  ])('at %i ms there is room for %i', (now, free) => {
    const { trial } = setup();
    trial.lease = lease;
    expect(trial.freeAt(now)).toBe(free);
    expect(trial.grant(7, now)).toBe(free === 1);
    expect(trial.busy).toBe(free === 1);
  });

  test('lets one probe in by one lease', () => {
    const { trial } = setup();
    trial.lease = lease;
    expect(trial.grant(7, 1_500)).toBe(true);
    expect(trial.grant(8, 1_500)).toBe(false);
    expect(trial.lease).toBeUndefined();
    expect([trial.holds(7), trial.holds(8)]).toEqual([true, false]);
  });

  test.each<ProbeVerdict>(['succeeded', 'failed', 'unused'])('tells once that a probe has %s', (verdict) => {
    const { trial, verdicts } = setup();
    trial.lease = lease;
    trial.grant(7, 1_500);
    expect(trial.settle(8, verdict)).toBe(false);
    expect(trial.settle(7, verdict)).toBe(true);
    expect(trial.settle(7, verdict)).toBe(false);
    expect(verdicts).toEqual([['x', verdict]]);
    expect(trial.busy).toBe(false);
  });

  test('decides nothing by itself: that is the word of the fleet', () => {
    const { trial } = setup();
    trial.lease = lease;
    trial.grant(7, 1_500);
    trial.settle(7, 'failed');
    expect(trial.decision).toBeUndefined();
  });

  test('has a probe fail that has had no answer in its time', () => {
    const { trial, verdicts } = setup();
    trial.lease = lease;
    trial.grant(7, 1_500);
    trial.failOverdue(2_499);
    expect(verdicts).toEqual([]);
    trial.failOverdue(2_500);
    expect(verdicts).toEqual([['x', 'failed']]);
    expect(trial.settle(7, 'succeeded')).toBe(false);
  });

  test('forgets everything with its epoch', () => {
    const { trial, verdicts } = setup();
    trial.lease = lease;
    trial.grant(7, 1_500);
    trial.lease = { ...lease, token: 'y' };
    trial.clear();
    expect(trial.freeAt(1_500)).toBe(0);
    expect(trial.settle(7, 'succeeded')).toBe(false);
    trial.failOverdue(9_000);
    expect(verdicts).toEqual([]);
  });
});
