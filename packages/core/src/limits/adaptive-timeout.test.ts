import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LatencyHistogram } from '../health/histogram.ts';
import { seededRandom } from '../time/random.ts';
import { AdaptiveTimeout } from './adaptive-timeout.ts';

const STEP_MS = 500;

/** Updates each half second with the same figures. */
function drive(timeout = new AdaptiveTimeout()) {
  let now = 0;
  return (seconds: number, p50: number, p99: number, samples = 500, cutShort = 0) => {
    for (const until = now + seconds * 1_000; now < until; ) {
      now += STEP_MS;
      timeout.update(samples === 0 ? undefined : { p50, p99 }, samples, now, cutShort);
    }
    return timeout.timeoutMs;
  };
}

test('a number that the user wrote stays', () => {
  const timeout = new AdaptiveTimeout({ pinnedMs: 300 });
  expect(drive(timeout)(60, 900, 2_000, 500, 100)).toBe(300);
});

describe('from all to what is needed', () => {
  test('until enough is known the longest is in force', () => {
    expect(drive()(60, 40, 100, 99)).toBe(10_000);
    expect(drive()(60, 0, 0, 0)).toBe(10_000);
  });

  test('it falls slowly, by half of the way in ten seconds, to three times the 99th percentile', () => {
    const go = drive();
    go(0.5, 40, 100);
    expect(go(10, 40, 100)).toBeCloseTo(5_150, -1);
    expect(go(120, 40, 100)).toBeCloseTo(300, -1);
  });

  test('it stays within the bounds', () => {
    expect(drive(new AdaptiveTimeout({ minMs: 200 }))(300, 5, 10)).toBeCloseTo(200, 0);
    expect(drive(new AdaptiveTimeout({ maxMs: 1_000 }))(300, 400, 800)).toBe(1_000);
  });
});

describe('it rises', () => {
  test('at once with the percentile', () => {
    const go = drive();
    go(300, 40, 100);
    expect(go(0.5, 60, 400)).toBe(1_200);
  });

  test('to all when the median is another', () => {
    const go = drive();
    go(300, 40, 100);
    expect(go(0.5, 90, 150)).toBe(10_000);
    const faster = drive();
    faster(300, 40, 100);
    expect(faster(0.5, 15, 90)).toBe(10_000);
  });

  test('but not for one that drifts', () => {
    const go = drive();
    go(300, 40, 100);
    for (let minute = 1; minute <= 30; minute++) {
      expect(go(60, 40 * 1.05 ** minute, 100 * 1.05 ** minute)).toBeLessThan(350 * 1.05 ** minute);
    }
  });

  test('when it cuts calls short, doubling each second', () => {
    const go = drive();
    go(300, 40, 100);
    expect(go(2, 40, 100, 500, 50)).toBeGreaterThan(1_000);
  });

  test('hardly, where nothing is answered: that may be a hang', () => {
    const go = drive();
    const learned = go(300, 40, 100);
    expect(go(4, 0, 0, 0, 50)).toBe(learned);
    expect(go(3, 0, 0, 0, 50)).toBe(2 * learned);
    expect(go(60, 0, 0, 0, 50)).toBe(10_000);
  });
});

test('never below what healthy calls take, whatever the percentiles do', () => {
  const step = fc.tuple(
    fc.double({ min: 1, max: 500, noNaN: true }),
    fc.double({ min: 1, max: 20, noNaN: true }),
    fc.nat({ max: 1_000 }),
    fc.nat({ max: 100 }),
    fc.nat({ max: 10_000 }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const timeout = new AdaptiveTimeout({ minMs: 20, maxMs: 2_000, factor: 3 });
      let now = 0;
      for (const [p50, tail, samples, cutShort, gap] of steps) {
        now += gap;
        const ms = timeout.update({ p50, p99: p50 * tail }, samples, now, cutShort);
        expect(ms).toBeLessThanOrEqual(2_000);
        if (samples >= 100) expect(ms).toBeGreaterThanOrEqual(Math.min(2_000, 3 * p50 * tail) - 1e-9);
      }
    }),
  );
});

/** Calls at 100 a second whose log-normal latency the timeout cuts short; the share that it does. */
function loop(meanMs: (at: number) => number, seconds: number) {
  const timeout = new AdaptiveTimeout();
  const latency = new LatencyHistogram(10_000);
  const random = seededRandom(5);
  const cut: number[] = [];
  for (let now = STEP_MS; now <= seconds * 1_000; now += STEP_MS) {
    let cutShort = 0;
    for (let call = 0; call < 50; call++) {
      const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
      const ms = meanMs(now) * Math.exp(0.5 * normal - 0.125);
      if (ms > timeout.timeoutMs) cutShort++;
      else latency.record(ms, 1, now);
    }
    cut.push(cutShort / 50);
    const [p50, p99] = latency.quantiles([0.5, 0.99], now);
    const quantiles = p50 === undefined || p99 === undefined ? undefined : { p50, p99 };
    timeout.update(quantiles, quantiles === undefined ? 0 : 500, now, cutShort * 10);
  }
  const share = (from: number, until: number) =>
    cut.slice(from * 2, until * 2).reduce((sum, one) => sum + one, 0) / ((until - from) * 2);
  return { share, timeoutMs: timeout.timeoutMs };
}

describe('in a closed loop', () => {
  test('a healthy service has no call cut short, by a timeout that is below a second in the end', () => {
    const { share, timeoutMs } = loop(() => 40, 120);
    expect(share(0, 120)).toBe(0);
    expect(timeoutMs).toBeLessThan(1_000);
  });

  test('a service that is five times slower for good is served in full again within seconds', () => {
    const { share } = loop((at) => (at < 120_000 ? 40 : 200), 150);
    expect(share(130, 150)).toBe(0);
  });
});
