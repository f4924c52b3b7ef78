import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../config/schema.ts';
import { ConcurrencyLimiter, type ConcurrencyLimiterOptions } from './concurrency-limiter.ts';
import { type Client, type ModelOptions, runModel } from './queue-model.test-helper.ts';

const FAULT_MS = 5_000;
const END_MS = 15_000;
const SEEDS = [101, 102, 103];
const OPEN: Client = { admits: () => true, ended: () => {}, tick: () => {} };

/** 4 hosts of 5 servers at 40 ms each: 500 calls a second, of which 250 come, until a fault of 10 s. */
function model(fault: Partial<ModelOptions>, seed: number): ModelOptions {
  return { seconds: 20, rate: () => 250, serviceMs: () => 40, seed, ...fault };
}

const during = (inFault: number, otherwise: number) => (at: number) =>
  at >= FAULT_MS && at < END_MS ? inFault : otherwise;

/** Good answers of the window in relation to what could be served, alone and limited; means over the seeds. */
function compare(fault: Partial<ModelOptions>, capacity: number, options: ConcurrencyLimiterOptions = {}) {
  let alone = 0;
  let limited = 0;
  let refused = 0;
  let recoveredMs = 0;
  for (const seed of SEEDS) {
    const free = runModel(model(fault, seed), OPEN);
    const figures = runModel(model(fault, seed), new ConcurrencyLimiter(options));
    const offered = free.sum('offered', FAULT_MS, END_MS);
    const most = Math.min(capacity * 10, offered) + free.sum('offered', END_MS);
    alone += free.sum('good', FAULT_MS) / most;
    limited += figures.sum('good', FAULT_MS) / most;
    refused += figures.sum('refused');
    const after = figures.slots.slice(END_MS / 100);
    // Over half a second each, since 25 calls in 100 ms are few.
    const lastBad = after.findLastIndex((_, at) => {
      const half = after.slice(at, at + 5);
      const sum = (field: 'good' | 'offered') => half.reduce((total, slot) => total + slot[field], 0);
      return half.length === 5 && sum('good') < 0.95 * sum('offered');
    });
    recoveredMs = Math.max(recoveredMs, (lastBad + 1) * 100);
  }
  const share = (sum: number) => sum / SEEDS.length;
  return { alone: share(alone), limited: share(limited), refused, recoveredMs };
}

describe('a healthy upstream is not limited', () => {
  test.each([50, 250, 400, 450])('%i calls a second of 500', (perSecond) => {
    expect(compare({ rate: () => perSecond }, 500).refused).toBe(0);
  });

  test('a wide service time, and one call in a hundred that takes fifty times as long', () => {
    expect(compare({ sigma: 1 }, 500).refused).toBe(0);
    expect(compare({ sigma: 2, rate: () => 100 }, 500).refused).toBe(0);
  });

  test('one call a second', () => {
    expect(compare({ rate: () => 1 }, 500).refused).toBe(0);
  });
});

describe('an upstream that cannot keep up', () => {
  test.each([
    ['twice as many calls as it can serve', { rate: during(1_000, 250) }, 500, 0.96],
    ['five times the calls', { rate: during(1_250, 250) }, 500, 0.95],
    ['a fifth more than it can serve', { rate: during(600, 250) }, 500, 0.9],
    ['three times slower', { serviceMs: during(120, 40) }, 167, 0.9],
    ['half the capacity that is needed', { serviceMs: during(160, 40) }, 125, 0.85],
    ['ten times slower', { serviceMs: during(400, 40) }, 50, 0.8],
    ['overload, and a wide service time', { rate: during(1_000, 250), sigma: 1 }, 500, 0.93],
  ])('%s: most of what it can do is had, and it is well within a second', (_, fault, capacity, least) => {
    const { alone, limited, recoveredMs } = compare(fault, capacity);
    expect(limited).toBeGreaterThan(least);
    expect(limited).toBeGreaterThan(alone);
    expect(recoveredMs).toBeLessThanOrEqual(1_000);
  });

  test('the limit is near what keeps all servers busy, and stays there', () => {
    const limiter = new ConcurrencyLimiter();
    const limits: number[] = [];
    const client: Client = {
      admits: (inFlight) => limiter.admits(inFlight),
      ended: (...end) => limiter.ended(...end),
      tick: (now) => {
        limiter.tick(now);
        if (now > FAULT_MS + 1_000 && now < END_MS) limits.push(limiter.limit);
      },
    };
    const figures = runModel(model({ rate: during(1_000, 250) }, 104), client);
    expect(Math.max(...limits)).toBeLessThan(300);
    expect(Math.min(...limits)).toBeGreaterThan(20);
    const goodASecond = figures.sum('good', FAULT_MS + 1_000, END_MS) / 9;
    expect(goodASecond).toBeGreaterThan(0.8 * 500);
    expect(goodASecond).toBeLessThan(1.2 * 500);
    expect(limiter.engaged).toBe(false);
    expect(limiter.limit).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('it does no harm where limiting does not help', () => {
  test('a network that is slower by 400 ms at once', () => {
    expect(compare({ networkMs: during(400, 0) }, 500).limited).toBeGreaterThan(0.98);
    expect(compare({ networkMs: during(800, 0), sigma: 1 }, 500).limited).toBeGreaterThan(0.95);
  });

  test('a network that grows slower', () => {
    const networkMs = (at: number) => Math.max(0, Math.min(700, (at - FAULT_MS) / 10));
    expect(compare({ networkMs }, 500).limited).toBeGreaterThan(0.985);
  });

  test('an upstream that refuses fast by itself', () => {
    const { alone, limited } = compare({ queue: 10, rate: during(1_000, 250) }, 500);
    expect(limited).toBeGreaterThan(0.99 * alone);
  });

  test('half of the calls fail at once', () => {
    expect(compare({ failureShare: during(0.5, 0) }, 500).refused).toBe(0);
  });

  test('what did not help is not tried again at once', () => {
    let engaged = 0;
    const limiter = new ConcurrencyLimiter();
    const client: Client = {
      admits: (inFlight) => limiter.admits(inFlight),
      ended: (...end) => limiter.ended(...end),
      tick: (now) => {
        limiter.tick(now);
        if (limiter.engaged) engaged++;
      },
    };
    runModel(model({ networkMs: (at) => (at < FAULT_MS ? 0 : (at / 2_000) % 2 < 1 ? 500 : 0) }, 105), client);
    expect(engaged * 20).toBeLessThan(5_000);
  });
});

test('what is known of the callers bounds the queue before the first of them gives up', () => {
  const fault = { serviceMs: during(400, 40) };
  const told = compare(fault, 50, { patienceMs: 1_000 }).limited;
  expect(told).toBeGreaterThan(0.8);
});

const OUTCOMES: Outcome[] = ['success', 'failure', 'overload', 'ignored'];

test('whatever is told, the limit is a number from minLimit up, and admits tells the truth of it', () => {
  const event = fc.record({
    gapMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 5_000, noNaN: true })),
    latencyMs: fc.double({ min: 0, max: 60_000, noNaN: true }),
    outcome: fc.constantFrom(...OUTCOMES),
    inFlight: fc.nat({ max: 2_000 }),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 400 }), fc.integer({ min: 1, max: 50 }), (events, minLimit) => {
      const limiter = new ConcurrencyLimiter({ minLimit, minSamples: 2 });
      let now = 0;
      for (const { gapMs, latencyMs, outcome, inFlight } of events) {
        now += gapMs;
        limiter.ended(latencyMs, outcome, inFlight, now);
        expect(limiter.limit).toBeGreaterThanOrEqual(minLimit);
        expect(limiter.admits(inFlight)).toBe(inFlight < limiter.limit);
        if (limiter.engaged) expect(limiter.limit).toBeLessThan(Number.POSITIVE_INFINITY);
      }
    }),
  );
});
