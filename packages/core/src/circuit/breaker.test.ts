import { describe, expect, test } from 'vitest';
import type { CircuitOptions, Outcome } from '../config/schema.ts';
import { VirtualClock } from '../time/virtual-clock.ts';
import { CircuitBreaker } from './breaker.ts';
import type { BreakerEnvironment, CircuitTransition } from './circuit-machine.ts';

function setup(options: CircuitOptions = {}, environment: BreakerEnvironment = {}) {
  const clock = new VirtualClock();
  const transitions: CircuitTransition[] = [];
  const breaker = new CircuitBreaker(
    { rampMs: 0, ...options },
    {
      clock,
      random: { next: () => 0.5 },
      onTransition: (transition) => transitions.push(transition),
      ...environment,
    },
  );
  const call = (outcome: Outcome, latencyMs = 1, retryAfterMs = 0) =>
    breaker.record(breaker.tryAcquire(), outcome, latencyMs, clock.now(), retryAfterMs);
  const calls = (count: number, outcome: Outcome, latencyMs = 1) => {
    for (let i = 0; i < count; i++) call(outcome, latencyMs);
  };
  return { clock, breaker, transitions, call, calls };
}

const RATES = { minimumCalls: 20, failureRate: 0.5, consecutiveFailures: 1_000 };

describe('trip rules', () => {
  test('a failure rate opens it from the minimum of calls on, and not below', () => {
    const { breaker, calls, call, transitions } = setup(RATES);
    calls(10, 'success');
    calls(9, 'failure');
    expect(breaker.state).toBe('closed');
    call('failure');
    expect(transitions).toMatchObject([{ from: 'closed', to: 'open', reason: 'failure-rate' }]);
  });

  test('below the rate it stays closed, however many the calls', () => {
    const { breaker, call } = setup(RATES);
    for (let i = 0; i < 1_000; i++) call(i % 2 === 0 || i % 10 === 1 ? 'success' : 'failure');
    expect(breaker.state).toBe('closed');
  });

  test('five failures in a row are enough while there is little traffic', () => {
    const { breaker, calls, clock, transitions } = setup();
    calls(2, 'success');
    for (let i = 0; i < 4; i++) {
      calls(1, 'failure');
      clock.advanceSync(14_000);
    }
    expect(breaker.state).toBe('closed');
    calls(1, 'failure');
    expect(transitions).toMatchObject([{ reason: 'consecutive-failures' }]);
  });

  test('but not when they are further apart than `consecutiveWithinMs`, short of twenty', () => {
    const { breaker, calls, clock } = setup();
    for (let i = 0; i < 19; i++) {
      calls(1, 'failure');
      clock.advanceSync(15_001);
    }
    expect(breaker.state).toBe('closed');
    calls(1, 'failure');
    expect(breaker.state).toBe('open');
  });

  test('nor in much traffic, where it takes four times as many', () => {
    const { breaker, calls } = setup();
    calls(1_000, 'success');
    calls(19, 'failure');
    expect(breaker.state).toBe('closed');
    calls(1, 'failure');
    expect(breaker.state).toBe('open');
  });

  test('slow calls open it where a threshold is set, successes and failures alike', () => {
    const { breaker, calls, transitions } = setup({
      ...RATES,
      slowCallMs: 100,
      slowCallRate: 0.8,
      failureRate: 1,
    });
    calls(4, 'success', 100);
    calls(8, 'failure', 101);
    calls(7, 'success', 101);
    expect(breaker.state).toBe('closed');
    calls(1, 'success', 101);
    expect(transitions).toMatchObject([{ reason: 'slow-call-rate' }]);
  });

  test('without a threshold no call is slow', () => {
    const { breaker, calls } = setup(RATES);
    calls(100, 'success', 1e9);
    expect(breaker.state).toBe('closed');
  });
});

describe('overload', () => {
  test('leaves the rate alone, but five in a row without a success are five failures', () => {
    const { breaker, calls, clock } = setup();
    calls(4, 'overload');
    expect(breaker.countsAt(clock.now()).calls).toBe(0);
    calls(1, 'success');
    calls(4, 'overload');
    expect(breaker.state).toBe('closed');
    calls(1, 'overload');
    expect(breaker.state).toBe('open');
  });

  test('those of before an opening do not count after it', () => {
    const { breaker, calls, clock } = setup({ probes: 1 });
    calls(4, 'overload');
    calls(5, 'failure');
    clock.advanceSync(1_000);
    calls(1, 'success');
    calls(4, 'overload');
    expect(breaker.state).toBe('closed');
  });

  test('sets the earliest next try, for at most a minute', () => {
    const { breaker, call, calls, clock } = setup();
    call('overload', 1, 5_000);
    expect(breaker.noticeLeftMs()).toBe(5_000);
    calls(5, 'failure');
    expect(breaker.retryAfterMs()).toBe(5_000);
    clock.advanceSync(5_000);
    call('overload', 1, 86_400_000);
    call('overload', 1, 1);
    expect([breaker.state, breaker.retryAfterMs()]).toEqual(['open', 60_000]);
  });

  test.each([Number.NaN, -1, Number.NEGATIVE_INFINITY])('a senseless notice of %s is none', (notice) => {
    const { breaker, call, calls, clock } = setup();
    call('overload', 1, notice);
    calls(5, 'failure');
    clock.advanceSync(2_000);
    expect([breaker.noticeLeftMs(), breaker.state]).toEqual([0, 'half-open']);
  });
});

describe('open time', () => {
  test.each([
    [0, 800],
    [0.5, 1_000],
    [0.999_999, 1_200],
  ])('has jitter: with chance at %f it is %i ms', (chance, openMs) => {
    const { breaker, calls } = setup({}, { random: { next: () => chance } });
    calls(5, 'failure');
    expect(breaker.retryAfterMs()).toBeCloseTo(openMs, 0);
  });

  test.each([
    [0, 1_600],
    [0.999_999, 2_000],
  ])('has jitter at its bound too: with chance at %f it is %i ms', (chance, openMs) => {
    const { breaker, calls, call, clock } = setup({ probes: 1 }, { random: { next: () => chance } });
    calls(5, 'failure');
    for (let trial = 0; trial < 3; trial++) {
      clock.advanceSync(breaker.retryAfterMs());
      call('failure');
    }
    expect(breaker.retryAfterMs()).toBeCloseTo(openMs, 0);
  });

  test('doubles with each failed trial up to its bound, and begins anew after a calm', () => {
    const { breaker, calls, call, clock } = setup({ maxOpenMs: 5_000, probes: 1 });
    calls(5, 'failure');
    const times = [breaker.retryAfterMs()];
    for (let trial = 0; trial < 4; trial++) {
      clock.advanceSync(breaker.retryAfterMs());
      call('failure');
      times.push(breaker.retryAfterMs());
    }
    expect(times.map(Math.round)).toEqual([1_000, 2_000, 4_000, 4_500, 4_500]);
    clock.advanceSync(5_000);
    call('success');
    calls(5, 'failure');
    expect(breaker.retryAfterMs()).toBeCloseTo(4_500);
    clock.advanceSync(5_000);
    call('success');
    clock.advanceSync(10_001);
    calls(5, 'failure');
    expect(breaker.retryAfterMs()).toBeCloseTo(1_000);
  });

  test('a probe may take longer after each failed trial, up to the longest call', () => {
    const { breaker, calls, call, clock } = setup({ probes: 1, maxOpenMs: 1_000 }, { longestCallMs: 3_000 });
    const limits: number[] = [];
    calls(5, 'failure');
    for (let trial = 0; trial < 4; trial++) {
      limits.push(breaker.probeLimitMs);
      clock.advanceSync(1_000);
      call('failure');
    }
    expect(limits).toEqual([1_000, 2_000, 3_000, 3_000]);
  });
});

test('a lone caller asks and tells without tokens; what is told after a refusal counts for nothing', () => {
  const { breaker, clock } = setup({ probes: 1 });
  for (let i = 0; i < 5; i++) {
    expect(breaker.allowRequest()).toBe(true);
    breaker.recordFailure();
  }
  expect(breaker.allowRequest()).toBe(false);
  breaker.recordSuccess();
  clock.advanceSync(1_000);
  expect(breaker.allowRequest()).toBe(true);
  breaker.recordSuccess();
  expect(breaker.state).toBe('closed');
});

test('a ramp that is switched off in the middle ends', () => {
  const { breaker, calls, clock } = setup({ rampMs: 1_000, probes: 1 });
  calls(5, 'failure');
  clock.advanceSync(1_000);
  breaker.record(breaker.tryAcquire(), 'success');
  expect(breaker.admittedShare()).toBeCloseTo(0.2);
  breaker.update({ rampMs: 0 });
  expect(breaker.admittedShare()).toBe(1);
  for (let i = 0; i < 10; i++) expect(breaker.tryAcquire()).toBeGreaterThan(0);
});

test('calls of before a change are judged by no later state', () => {
  const { breaker, calls, clock } = setup({ probes: 1 });
  const early = breaker.tryAcquire();
  const start = clock.now();
  expect(breaker.tokenSince(start)).toBe(early);
  calls(5, 'failure');
  expect(breaker.record(early, 'success')).toBe(false);
  clock.advanceSync(1_000);
  breaker.record(breaker.tryAcquire(), 'success');
  expect(breaker.record(early, 'failure')).toBe(false);
  expect(breaker.tokenSince(start)).toBeLessThan(0);
  expect(breaker.countsAt(clock.now()).calls).toBe(0);
});
