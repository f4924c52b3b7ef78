import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LatencyHistogram, LatencyMark } from './histogram.ts';

interface Sample {
  at: number;
  ms: number;
  weight: number;
}
const QUANTILES = [0, 0.01, 0.5, 0.95, 0.99, 1];
const LONGEST_MS = (2 ** 28 - 1) / 1_000;

/** Quantiles by sorting every single call. */
function naive(samples: readonly Sample[], quantile: number): number | undefined {
  const each = samples.flatMap(({ ms, weight }) => new Array<number>(weight).fill(ms)).sort((a, b) => a - b);
  return each[Math.max(1, Math.ceil(quantile * each.length)) - 1];
}

function expectClose(found: number | undefined, truth: number | undefined): void {
  if (truth === undefined) {
    expect(found).toBeUndefined();
    return;
  }
  const capped = Math.min(truth, LONGEST_MS);
  expect(Math.abs((found as number) - capped)).toBeLessThanOrEqual(Math.max(capped / 16, 0.001));
}

const latency = fc.oneof(
  fc.constantFrom(0, 0.001, 0.015, 0.016, 0.017, 1, 1_000, 30_000, LONGEST_MS, 1e12),
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.double({ min: 0, max: 100_000, noNaN: true }),
);

describe('LatencyHistogram', () => {
  test('quantiles are within 1/16 of a sorted list, weights included', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(latency, fc.constantFrom(1, 16)), { minLength: 1, maxLength: 60 }),
        (given) => {
          const histogram = new LatencyHistogram(10_000);
          const samples = given.map(([ms, weight]) => ({ at: 0, ms, weight }));
          for (const { ms, weight } of samples) histogram.record(ms, weight, 0);
          const found = histogram.quantiles(QUANTILES, 0);
          QUANTILES.forEach((quantile, i) => {
            expectClose(found[i], naive(samples, quantile));
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  test('covers the last half of its window surely, and nothing older than the whole', () => {
    const waits = fc.constantFrom(0, 1, 70, 499, 500, 501, 999, 1_000, 1_001, 2_500, 1e7);
    fc.assert(
      fc.property(fc.array(fc.tuple(waits, fc.constantFrom('record', 'read')), { maxLength: 60 }), (run) => {
        const histogram = new LatencyHistogram(1_000);
        const recorded: number[] = [];
        let now = 123;
        for (const [wait, what] of run) {
          now += wait;
          if (what === 'record') {
            // Each latency is a power of two of its own, so that a quantile tells which sample it is.
            histogram.record(2 ** (recorded.length % 18), 1, now);
            recorded.push(now);
            continue;
          }
          const inside = recorded.map((at, i) => ({ at, ms: 2 ** (i % 18), weight: 1 }));
          const surely = inside.filter(({ at }) => now - at < 500);
          const maybe = inside.filter(({ at }) => now - at < 1_000);
          const [lowest, highest] = histogram.quantiles([0, 1], now);
          if (maybe.length === 0) expect([lowest, highest]).toEqual([undefined, undefined]);
          if (surely.length === 0) continue;
          const slack = 17 / 16;
          expect(lowest).toBeGreaterThanOrEqual((naive(maybe, 0) as number) / slack);
          expect(lowest).toBeLessThanOrEqual((naive(surely, 0) as number) * slack);
          expect(highest).toBeLessThanOrEqual((naive(maybe, 1) as number) * slack);
          expect(highest).toBeGreaterThanOrEqual((naive(surely, 1) as number) / slack);
        }
      }),
      { numRuns: 400 },
    );
  });

  test('since a mark: each latency is told once, whatever the halves do, unless it has left the window', () => {
    const waits = fc.constantFrom(0, 1, 70, 250, 499, 500, 501, 1_000, 2_500, 1e7);
    fc.assert(
      fc.property(fc.array(fc.tuple(waits, fc.constantFrom('record', 'read')), { maxLength: 60 }), (run) => {
        const histogram = new LatencyHistogram(1_000);
        const mark = new LatencyMark();
        let fresh: Sample[] = [];
        let now = 123;
        for (const [wait, what] of run) {
          now += wait;
          if (what === 'record') {
            const ms = 2 ** (fresh.length % 18);
            histogram.record(ms, 1, now);
            fresh.push({ at: now, ms, weight: 1 });
            continue;
          }
          const found = histogram.quantilesSince(mark, [0, 0.5, 1], now);
          if (fresh.every(({ at }) => now - at < 500)) {
            [0, 0.5, 1].forEach((quantile, i) => {
              expectClose(found[i], naive(fresh, quantile));
            });
          } else if (fresh.every(({ at }) => now - at >= 1_000)) {
            expect(found[1]).toBeUndefined();
          }
          fresh = [];
        }
      }),
      { numRuns: 400 },
    );
  });

  test('knows nothing before the first latency, nor after all have left', () => {
    const histogram = new LatencyHistogram(1_000);
    expect(histogram.quantiles([0.5, 0.99], 0)).toEqual([undefined, undefined]);
    histogram.record(5, 1, 0);
    expect(histogram.quantiles([0.5], 400)[0]).toBeCloseTo(5, 0);
    expect(histogram.quantiles([0.5], 1_000)).toEqual([undefined]);
  });

  test('takes odd latencies without harm', () => {
    const histogram = new LatencyHistogram();
    for (const odd of [-5, Number.NaN, Number.NEGATIVE_INFINITY]) histogram.record(odd, 1, 0);
    expect(histogram.quantiles([1], 0)[0]).toBeLessThan(0.001);
    histogram.record(Number.POSITIVE_INFINITY, 1, 0);
    expectClose(histogram.quantiles([1], 0)[0], LONGEST_MS);
  });

  test('a half that is used again starts from nothing', () => {
    const histogram = new LatencyHistogram(1_000);
    for (let turn = 0; turn < 6; turn++) histogram.record(turn < 3 ? 1_000 : 1, 1, turn * 500);
    expect(histogram.quantiles([1], 2_600)[0]).toBeLessThan(2);
  });
});
