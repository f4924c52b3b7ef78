import { describe, expect, it } from 'vitest';
import type { Phase } from '../../examples/demo/schedule.ts';
import { Tally } from '../../examples/demo/tally.ts';

const phase: Phase = {
  from: 2_000,
  to: 4_000,
  upstream: 'payments',
  fault: { kind: 'hang' },
  title: 'payments hangs',
};

/** One request every 10 ms for 10 s, with the given verdict at each time. */
function tallyOf(verdictAt: (at: number) => 'full' | 'degraded' | 'error'): Tally {
  const tally = new Tally();
  for (let at = 0; at < 10_000; at += 10) {
    tally.add({ service: 'with', at, ms: at / 100, verdict: verdictAt(at) });
  }
  return tally;
}

describe('Tally', () => {
  it('counts answers, in all and by when they were due', () => {
    const tally = tallyOf((at) => (at < 1_000 ? 'full' : 'error'));
    expect(tally.counts).toEqual({ full: 100, degraded: 0, error: 900, late: 0 });
    expect(tally.slots[1]?.full).toBe(50);
    expect(tally.slots[2]?.error).toBe(50);
    expect(tally.fullShareBefore(2_000)).toBe(0.5);
    expect(tally.quantileMs(0.5)).toBeCloseTo(50, 0);
    expect(tally.quantileMs(0.99)).toBeCloseTo(99, 0);
  });

  it('times the way back to good answers from the beginning of the fault, to full ones from its end', () => {
    const tally = tallyOf((at) => {
      if (at >= 2_000 && at < 2_500) return 'error';
      return at >= 2_500 && at < 5_000 ? 'degraded' : 'full';
    });
    expect(tally.answeringAgainMs(phase)).toBe(500);
    expect(tally.fullServiceMs(phase)).toBe(1_000);
  });

  it('knows service that never broke, and service that was never restored', () => {
    expect(tallyOf(() => 'full').answeringAgainMs(phase)).toBe(0);
    expect(tallyOf((at) => (at < 3_000 ? 'full' : 'error')).fullServiceMs(phase)).toBeUndefined();
  });
});
