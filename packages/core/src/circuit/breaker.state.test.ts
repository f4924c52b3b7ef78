import { describe, expect, test } from 'vitest';
import type { CircuitOptions, Outcome } from '../config/schema.ts';
import { VirtualClock } from '../time/virtual-clock.ts';
import { CircuitBreaker, type CircuitSnapshot } from './breaker.ts';
import type { CircuitTransition } from './circuit-machine.ts';

function setup(options: CircuitOptions = {}) {
  const clock = new VirtualClock();
  const transitions: CircuitTransition[] = [];
  const onTransition = (transition: CircuitTransition) => transitions.push(transition);
  const breaker = new CircuitBreaker(
    { rampMs: 0, ...options },
    { clock, random: { next: () => 0.5 }, onTransition },
  );
  const call = (outcome: Outcome, latencyMs = 1, retryAfterMs = 0) =>
    breaker.record(breaker.tryAcquire(), outcome, latencyMs, clock.now(), retryAfterMs);
  const calls = (count: number, outcome: Outcome) => {
    for (let i = 0; i < count; i++) call(outcome);
  };
  return { clock, breaker, transitions, call, calls };
}

describe('force', () => {
  test('closed beats every failure, and gives back a clean window', () => {
    const { breaker, calls, clock, transitions } = setup();
    breaker.force('closed');
    calls(1_000, 'failure');
    expect([breaker.state, breaker.forced]).toEqual(['closed', 'closed']);
    breaker.force(null);
    expect(breaker.countsAt(clock.now()).calls).toBe(0);
    calls(4, 'failure');
    expect(breaker.state).toBe('closed');
    calls(1, 'failure');
    expect(transitions).toMatchObject([
      { from: 'closed', to: 'closed', reason: 'forced' },
      { from: 'closed', to: 'closed', reason: 'released' },
      { to: 'open', reason: 'consecutive-failures' },
    ]);
  });

  test('open refuses at once, in the midst of a trial too, and is tried at once when given back', () => {
    const { breaker, calls, clock } = setup();
    calls(5, 'failure');
    clock.advanceSync(1_000);
    const probe = breaker.tryAcquire();
    breaker.force('open');
    expect(breaker.record(probe, 'success')).toBe(false);
    clock.advanceSync(1e9);
    expect([breaker.tryAcquire(), breaker.state, breaker.retryAfterMs() > 0]).toEqual([0, 'open', true]);
    breaker.force(null);
    expect([breaker.state, breaker.tryAcquire() > 0]).toEqual(['half-open', true]);
  });
});

describe('snapshot and restore', () => {
  test('a Retry-After longer than the open time survives', () => {
    const { breaker, call, calls, clock } = setup();
    call('overload', 1, 30_000);
    calls(5, 'failure');
    const saved = breaker.snapshot();
    clock.advanceSync(10_000);
    const other = setup();
    other.clock.advanceSync(10_000);
    other.breaker.restore(saved);
    expect(other.breaker.retryAfterMs()).toBe(20_000);
  });

  test('a forced state survives, a half-open one is tried anew', () => {
    const { breaker, calls, clock } = setup();
    calls(5, 'failure');
    clock.advanceSync(1_000);
    breaker.tryAcquire();
    const other = setup().breaker;
    other.restore(breaker.snapshot());
    expect(other.state).toBe('half-open');
    breaker.force('open');
    other.restore(breaker.snapshot());
    expect([other.state, other.forced]).toEqual(['open', 'open']);
  });

  test.each([
    { openLeftMs: Number.NaN },
    { openLeftMs: null },
    { openLeftMs: Number.POSITIVE_INFINITY },
    { wallMs: Number.NaN },
    { openings: Number.NaN },
    { openings: -40 },
    { openings: 1e300 },
    { forced: undefined },
  ])('a spoilt snapshot does not wedge it: %o', (spoilt) => {
    const { breaker, calls, clock } = setup({ probes: 1 });
    const sound: CircuitSnapshot = {
      state: 'open',
      forced: null,
      openLeftMs: 500,
      openings: 1,
      wallMs: clock.wall(),
    };
    breaker.restore({ ...sound, ...spoilt } as CircuitSnapshot);
    clock.advanceSync(60_000);
    const probe = breaker.tryAcquire();
    expect(breaker.record(probe, 'success')).toBe(true);
    expect(breaker.state).toBe('closed');
    calls(5, 'failure');
    expect(breaker.retryAfterMs()).toBeGreaterThanOrEqual(800);
    expect(breaker.retryAfterMs()).toBeLessThanOrEqual(2_000);
  });
});

test('a circuit that a person had forced open has not tripped, even while it is tried', () => {
  const { breaker } = setup();
  breaker.force('open');
  breaker.force(null);
  expect(breaker.state).toBe('half-open');
  expect(breaker.tripped).toBe(false);
});
