import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InFlightAges } from './in-flight-ages.ts';

const SPAN_MS = 6_200;
const SLOT_MS = 100;

const step = fc.oneof(
  fc.record({ what: fc.constant('enter' as const), late: fc.constantFrom(0, 0, 0, 19.5, 700, 20_000) }),
  fc.record({ what: fc.constant('leave' as const), which: fc.nat() }),
  fc.record({
    what: fc.constant('wait' as const),
    ms: fc.constantFrom(0.25, 20, 99, 100, 640, 6_399, 6_400, 50_000),
  }),
  fc.record({ what: fc.constant('ask' as const), ms: fc.constantFrom(0, 50, 100, 1_000, 6_199, 6_200) }),
);

describe('InFlightAges', () => {
  test('counts what is older, and late by no more than a slot', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const ages = new InFlightAges(SPAN_MS);
        const starts: number[] = [];
        let now = 100_000.5;
        for (const given of steps) {
          if (given.what === 'wait') now += given.ms;
          else if (given.what === 'enter') {
            starts.push(now - given.late);
            ages.enter(now - given.late);
          } else if (given.what === 'leave' && starts.length > 0) {
            const [start] = starts.splice(given.which % starts.length, 1);
            ages.leave(start as number);
          } else if (given.what === 'ask') {
            const found = ages.olderThan(given.ms, now);
            expect(found).toBeLessThanOrEqual(starts.filter((start) => now - start > given.ms).length);
            expect(found).toBeGreaterThanOrEqual(
              starts.filter((start) => now - start >= given.ms + SLOT_MS).length,
            );
          }
        }
        for (const start of starts) ages.leave(start);
        expect(ages.olderThan(0, now + 1e6)).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  test('an age beyond the span counts as the span; all calls are found again after a long silence', () => {
    const ages = new InFlightAges(SPAN_MS);
    for (let start = 0; start < 10; start++) ages.enter(start * 1_000);
    expect(ages.olderThan(1e9, 9_000)).toBe(ages.olderThan(SPAN_MS + SLOT_MS, 9_000));
    expect(ages.olderThan(SPAN_MS, 1e7)).toBe(10);
    for (let start = 0; start < 10; start++) ages.leave(start * 1_000);
    expect(ages.olderThan(0, 1e7)).toBe(0);
  });
});
