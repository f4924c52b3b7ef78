import { describe, expect, test } from 'vitest';
import { DrivenTarget } from '../../../../test/fleet/harness/driven-target.ts';
import type { CircuitOptions } from '../config/schema.ts';
import { resolveCircuit } from '../config/settings.ts';
import { VirtualClock } from '../time/virtual-clock.ts';
import { Evidence, tripTermsOf } from './evidence.ts';

const STEP_MS = 100;

function setup(circuit: CircuitOptions = {}) {
  const clock = new VirtualClock();
  const target = new DrivenTarget(clock, 'upstream:t', { circuit: { consecutiveFailures: 50, ...circuit } });
  const evidence = new Evidence(target.breaker, target.monitor);
  const take = () => evidence.take(clock.now());
  /** At which steps something was told, in ms from now. */
  const toldWithin = (ms: number) => {
    const told: number[] = [];
    for (let at = 0; at < ms; at += STEP_MS) {
      if (take() !== undefined) told.push(at);
      clock.advanceSync(STEP_MS);
    }
    return told;
  };
  return { clock, target, evidence, take, toldWithin };
}

describe('a replica is silent', () => {
  test('without calls, and while they succeed', () => {
    const { target, evidence, take } = setup();
    expect(take()).toBeUndefined();
    target.calls(1_000, 'success');
    expect(take()).toBeUndefined();
    expect(evidence.insists).toBe(false);
  });

  test('while failures are few and apart', () => {
    const { target, evidence, take } = setup();
    target.calls(4, 'success');
    target.calls(1, 'failure');
    expect(take()).toBeUndefined();
    expect(evidence.insists).toBe(false);
  });

  test('after its failures have been followed by enough successes, or have grown old', () => {
    const { target, evidence, take, clock } = setup();
    target.calls(3, 'failure');
    expect(take()).toBeDefined();
    target.calls(10, 'success');
    expect(take()).toBeUndefined();
    expect(evidence.insists).toBe(false);

    target.calls(5, 'failure');
    target.calls(1, 'success');
    expect(take()).toBeDefined();
    clock.advanceSync(11_000);
    expect(take()).toBeUndefined();
    expect(evidence.insists).toBe(false);
  });
});

describe('a replica tells its window', () => {
  test('from half the rate on that would open the circuit', () => {
    const { target, evidence, take } = setup({ failureRate: 0.4 });
    target.calls(1, 'failure');
    target.calls(4, 'success');
    expect(take()).toEqual({ calls: 5, failures: 1, streak: 0, open: false });
    expect(evidence.insists).toBe(true);
  });

  test('from the second failure in a row on, whatever the rate', () => {
    const { target, take } = setup();
    target.calls(200, 'success');
    target.calls(1, 'failure');
    expect(take()).toBeUndefined();
    target.calls(1, 'failure');
    expect(take()).toEqual({ calls: 202, failures: 2, streak: 2, open: false });
  });

  test('with slow calls as failures', () => {
    const { target, take } = setup({ slowCallMs: 50, slowCallRate: 1 });
    target.calls(6, 'success');
    target.calls(3, 'success', 51);
    target.monitor.slow += 3;
    expect(take()).toEqual({ calls: 9, failures: 3, streak: 0, open: false });
  });

  test('with overload that is nothing but overload', () => {
    const { target, take } = setup();
    target.calls(4, 'overload');
    expect(take()).toBeUndefined();
    target.calls(1, 'overload');
    expect(take()).toMatchObject({ failures: 5, streak: 5 });
  });

  test('at each step while it changes, and for a second more; then twice a second', () => {
    const { target, toldWithin } = setup();
    target.calls(2, 'failure');
    expect(toldWithin(600)).toEqual([0, 100, 200, 300, 400, 500]);
    target.calls(1, 'failure');
    expect(toldWithin(2_500)).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1_400, 1_900, 2_400]);
  });

  test('of two failures that nothing has followed for no longer than they are evidence here', () => {
    const { target, evidence, toldWithin } = setup({ consecutiveWithinMs: 30_000 });
    target.calls(2, 'failure');
    const told = toldWithin(600_000);
    expect(told.at(-1)).toBeGreaterThan(29_000);
    expect(told.at(-1)).toBeLessThanOrEqual(30_000);
    expect(evidence.insists).toBe(false);
  });
});

describe('a circuit that has opened here', () => {
  test('keeps what opened it, and tells it until it has closed', () => {
    const { target, evidence, take, toldWithin, clock } = setup();
    target.calls(10, 'success');
    target.calls(10, 'failure');
    expect(target.state).toBe('open');
    evidence.freeze(clock.now());
    const frozen = { calls: 20, failures: 10, streak: 10, open: true };
    expect(take()).toEqual(frozen);
    const told = toldWithin(60_000);
    expect(told.length).toBeGreaterThan(100);
    clock.advanceSync(500);
    expect(take()).toEqual(frozen);
    evidence.thaw();
    target.calls(3, 'success');
    expect(target.state).toBe('closed');
    expect(take()).toBeUndefined();
    expect(evidence.insists).toBe(false);
  });
});

describe('when the fleet asks', () => {
  test('a healthy replica tells its window, once', () => {
    const { target, evidence, take } = setup();
    target.calls(7, 'success');
    evidence.ask();
    expect(take()).toEqual({ calls: 7, failures: 0, streak: 0, open: false });
    expect(take()).toBeUndefined();
    expect(evidence.insists).toBe(false);
  });

  test('one without calls has nothing to tell', () => {
    const { target, evidence, take, clock } = setup();
    target.calls(7, 'success');
    clock.advanceSync(11_000);
    evidence.ask();
    expect(take()).toBeUndefined();
  });

  test('one that repeats itself tells it between two times', () => {
    const { target, evidence, take, toldWithin } = setup();
    target.calls(2, 'failure');
    toldWithin(1_100);
    expect(take()).toBeUndefined();
    evidence.ask();
    expect(take()).toMatchObject({ failures: 2 });
  });
});

describe('the hash of the terms', () => {
  const hashOf = (options: CircuitOptions) => tripTermsOf(resolveCircuit(options)).hash;

  test('is short, and the same for the same terms', () => {
    expect(hashOf({})).toMatch(/^[0-9a-z]{1,16}$/);
    expect(hashOf({ openMs: 300, probes: 5 })).toBe(hashOf({}));
  });

  test.each<CircuitOptions>([
    { failureRate: 0.4 },
    { minimumCalls: 30 },
    { windowMs: 9_000 },
    { consecutiveFailures: 6 },
  ])('differs with %j', (options) => {
    expect(hashOf(options)).not.toBe(hashOf({}));
  });
});

test('what opened a circuit that has no calls is told for ten minutes', () => {
  const { clock, target, evidence, take } = setup();
  target.calls(20, 'failure');
  evidence.freeze(clock.now());
  expect(take()).toMatchObject({ open: true });
  clock.advanceSync(599_000);
  expect(take()).toMatchObject({ open: true });
  clock.advanceSync(2_000);
  take();
  expect(evidence.insists).toBe(false);
  evidence.ask();
  expect(take()).toMatchObject({ open: true });
});
