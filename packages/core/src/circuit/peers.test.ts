import { describe, expect, test } from 'vitest';
import type { CircuitOptions } from '../config/schema.ts';
import { VirtualClock } from '../time/virtual-clock.ts';
import { CircuitBreaker } from './breaker.ts';

const OPTIONS = {
  failureRate: 0.5,
  minimumCalls: 20,
  windowMs: 10_000,
  openMs: 1_000,
  probes: 3,
  probeTimeoutMs: 1_000,
  rampMs: 0,
};

function setup(options: CircuitOptions = {}, clock = new VirtualClock()) {
  const breaker = new CircuitBreaker({ ...OPTIONS, ...options }, { clock, random: { next: () => 0.5 } });
  return { clock, breaker };
}
type World = ReturnType<typeof setup>;

function fail({ breaker }: World, most = 1_000): number {
  for (let calls = 0; calls < most; calls++) {
    const token = breaker.tryAcquire();
    if (token === 0) return calls;
    breaker.record(token, 'failure');
  }
  return most;
}

/** Trips the breaker and waits until it would try again. */
function halfOpen(world: World): number[] {
  fail(world);
  world.clock.advanceSync(world.breaker.retryAfterMs());
  const tokens: number[] = [];
  for (let token = world.breaker.tryAcquire(); token > 0; token = world.breaker.tryAcquire())
    tokens.push(token);
  return tokens;
}

function succeed(world: World, tokens: readonly number[]): void {
  for (const token of tokens) world.breaker.record(token, 'success', 5);
}

describe('opossum 10', () => {
  test('refusals are no calls: after 500 of them and a good trial it trips by the normal rule again', () => {
    const world = setup({ probes: 1 });
    const first = fail(world);
    for (let refusal = 0; refusal < 500; refusal++) expect(world.breaker.tryAcquire()).toBe(0);
    world.clock.advanceSync(1_000);
    succeed(world, [world.breaker.tryAcquire()]);
    expect(world.breaker.countsAt(world.clock.now())).toEqual({ calls: 0, failures: 0, slow: 0 });
    expect(fail(world)).toBe(first);
  });

  test("a caller's own aborts are no calls either", () => {
    const { breaker } = setup();
    for (let i = 0; i < 500; i++) breaker.record(breaker.tryAcquire(), 'ignored');
    expect(breaker.countsAt(0)).toEqual({ calls: 0, failures: 0, slow: 0 });
  });

  test('a probe that never settles does not keep it half-open for ever', () => {
    const world = setup({ probes: 1 });
    expect(halfOpen(world)).toHaveLength(1);
    world.clock.advanceSync(2_000 + 1_100);
    const probe = world.breaker.tryAcquire();
    expect(probe).toBeGreaterThan(0);
    succeed(world, [probe]);
    expect(world.breaker.state).toBe('closed');
  });

  test('a restored circuit waits for the rest of its open time', () => {
    const before = setup();
    fail(before);
    before.clock.advanceSync(300);
    const saved = JSON.parse(JSON.stringify(before.breaker.snapshot()));
    const after = setup();
    after.clock.skewWall(before.clock.wall() - after.clock.wall());
    after.clock.advanceSync(200);
    after.breaker.restore(saved);
    expect(after.breaker.state).toBe('open');
    expect(after.breaker.retryAfterMs()).toBeCloseTo(500);
    after.clock.advanceSync(501);
    expect(after.breaker.state).toBe('half-open');
  });

  test('no timer undoes a forced opening', async () => {
    const { breaker, clock } = setup();
    breaker.force('open');
    await clock.advance(86_400_000);
    expect(breaker.state).toBe('open');
    expect(breaker.tryAcquire()).toBe(0);
  });

  test('many probes are judged by their ratio (opossum 613)', () => {
    const good = setup({ probes: 5 });
    const [a, b, c, d, e] = halfOpen(good) as [number, number, number, number, number];
    for (const token of [a, b]) good.breaker.record(token, 'failure');
    succeed(good, [c, d]);
    expect(good.breaker.state).toBe('half-open');
    succeed(good, [e]);
    expect(good.breaker.state).toBe('closed');

    const bad = setup({ probes: 5 });
    const probes = halfOpen(bad);
    succeed(bad, probes.slice(0, 2));
    for (const token of probes.slice(2)) bad.breaker.record(token, 'failure');
    expect(bad.breaker.state).toBe('open');
  });

  test('rates are taken over a count of calls as well as over a time (opossum 817)', () => {
    const world = setup({ windowCalls: 20, consecutiveFailures: 1_000 });
    for (let i = 0; i < 20; i++) succeed(world, [world.breaker.tryAcquire()]);
    world.clock.advanceSync(3_600_000);
    expect(fail(world)).toBe(10);
  });
});

describe('cockatiel 4', () => {
  test('1,000 callers beyond a hung probe are refused at once, none is queued', () => {
    const world = setup({ probes: 1 });
    expect(halfOpen(world)).toHaveLength(1);
    const answers = Array.from({ length: 1_000 }, () => world.breaker.tryAcquire());
    expect(new Set(answers)).toEqual(new Set([0]));
    expect(world.breaker.retryAfterMs()).toBeGreaterThan(0);
  });
});

describe('resilience4ts', () => {
  test('a half-open circuit binds its limit: of 100 callers at once, as many as it has probes', () => {
    for (const probes of [1, 3, 10]) {
      const world = setup({ probes });
      expect(halfOpen(world)).toHaveLength(probes);
      const more = Array.from({ length: 100 }, () => world.breaker.tryAcquire());
      expect(new Set(more)).toEqual(new Set([0]));
    }
  });
});

describe('safe-client-gateway 3442', () => {
  test('traffic to what is dead stays a trickle: no trial is without a bound, none follows at once', () => {
    const world = setup({ rampMs: 1_000 });
    fail(world);
    const SECONDS = 60;
    let admitted = 0;
    for (let ms = 0; ms < SECONDS * 1_000; ms += 10) {
      const token = world.breaker.tryAcquire();
      if (token > 0) {
        admitted++;
        world.breaker.record(token, 'failure');
      }
      world.clock.advanceSync(10);
    }
    // Open for one second, then for two each time: three probes at most, of 6,000 calls.
    expect(admitted).toBeGreaterThan(0);
    expect(admitted).toBeLessThanOrEqual(3 * (SECONDS / 2 + 1));
  });
});

describe('shared circuits', () => {
  test('one restored after its open time is half-open: it is tried first, not closed', () => {
    const before = setup({ probes: 1 });
    fail(before);
    const after = setup({ probes: 1 });
    after.clock.skewWall(before.clock.wall() - after.clock.wall());
    after.clock.advanceSync(3_600_000);
    after.breaker.restore(before.breaker.snapshot());
    expect(after.breaker.state).toBe('half-open');
    expect(after.breaker.tryAcquire()).toBeGreaterThan(0);
    expect(after.breaker.tryAcquire()).toBe(0);
  });

  test('a result that comes after its lease has ended does not close the circuit', () => {
    const world = setup({ probes: 1 });
    const [late] = halfOpen(world) as [number];
    world.clock.advanceSync(1_100);
    expect(world.breaker.record(late, 'success')).toBe(false);
    expect(world.breaker.state).toBe('open');
  });

  test('nor does it count in a later trial', () => {
    const world = setup({ probes: 1 });
    const [late] = halfOpen(world) as [number];
    world.clock.advanceSync(4_000);
    const current = world.breaker.tryAcquire();
    expect(current).toBeGreaterThan(0);
    expect(world.breaker.record(late, 'success')).toBe(false);
    expect(world.breaker.state).toBe('half-open');
    succeed(world, [current]);
    expect(world.breaker.state).toBe('closed');
  });

  test('probes that end without a verdict do not wedge it: their places are free at once', () => {
    const world = setup();
    for (const token of halfOpen(world)) world.breaker.record(token, 'ignored');
    const again = [1, 2, 3, 4].map(() => world.breaker.tryAcquire());
    expect(again.filter((token) => token > 0)).toHaveLength(3);
    succeed(world, again.slice(0, 2));
    expect(world.breaker.state).toBe('closed');
  });

  test('a leaked probe does not hold its slot for ever (interlock 101)', () => {
    const world = setup();
    const [, second, third] = halfOpen(world) as [number, number, number];
    world.breaker.record(second, 'failure');
    world.breaker.record(third, 'success');
    world.clock.advanceSync(1_100);
    world.breaker.tryAcquire();
    expect(world.breaker.state).toBe('open');
    world.clock.advanceSync(2_000);
    expect(world.breaker.tryAcquire()).toBeGreaterThan(0);
  });

  test('one verdict twice is one verdict', () => {
    const world = setup();
    const [first] = halfOpen(world) as [number];
    expect(world.breaker.record(first, 'success')).toBe(true);
    expect(world.breaker.record(first, 'success')).toBe(false);
    expect(world.breaker.state).toBe('half-open');
  });

  test('a clock of the wall that is set back does not lengthen the rest of an open time', () => {
    const world = setup();
    fail(world);
    const saved = world.breaker.snapshot();
    world.clock.skewWall(-86_400_000);
    world.breaker.restore(saved);
    expect(world.breaker.retryAfterMs()).toBeLessThanOrEqual(2_000);
  });
});

describe('resilience4j', () => {
  test('traffic comes back step by step after recovery (985)', () => {
    const world = setup({ rampMs: 1_000 });
    succeed(world, halfOpen(world).slice(0, 2));
    expect(world.breaker.state).toBe('closed');
    const shares = [0, 1, 2, 3, 4].map(() => {
      const admitted = Array.from({ length: 200 }, () => world.breaker.tryAcquire()).filter(
        (token) => token > 0,
      );
      world.clock.advanceSync(250);
      return admitted.length / 200;
    });
    [0.2, 0.4, 0.6, 0.8, 1].forEach((share, i) => {
      expect(shares[i]).toBeCloseTo(share, 1);
    });
  });

  test('settings change without losing counters, state or open time (299, 2181, 2365)', () => {
    const world = setup({ consecutiveFailures: 1_000, minimumCalls: 100 });
    for (let i = 0; i < 50; i++) {
      succeed(world, [world.breaker.tryAcquire()]);
      world.breaker.record(world.breaker.tryAcquire(), 'failure');
    }
    const counts = world.breaker.countsAt(world.clock.now());
    world.breaker.update({ ...OPTIONS, failureRate: 0.9, consecutiveFailures: 1_000, windowMs: 20_000 });
    expect(world.breaker.countsAt(world.clock.now())).toEqual(counts);
    world.breaker.update({ ...OPTIONS, failureRate: 0.5, consecutiveFailures: 1_000 });
    world.breaker.record(world.breaker.tryAcquire(), 'failure');
    const left = world.breaker.retryAfterMs();
    expect(left).toBeGreaterThan(0);
    world.breaker.update({ ...OPTIONS, openMs: 60_000 });
    expect([world.breaker.state, world.breaker.retryAfterMs()]).toEqual(['open', left]);
  });

  test('a streak of failures goes on under another limit', () => {
    const world = setup({ consecutiveFailures: 5 });
    fail(world, 3);
    world.breaker.update({ ...OPTIONS, consecutiveFailures: 4 });
    expect(fail(world)).toBe(1);
    const other = setup({ consecutiveFailures: 2 });
    fail(other, 1);
    other.breaker.update({ ...OPTIONS, consecutiveFailures: 4 });
    expect(fail(other)).toBe(3);
  });

  test('a long streak does not begin anew under another limit', () => {
    const options = { ...OPTIONS, failureRate: 1, minimumCalls: 1 };
    const world = setup({ ...options, consecutiveFailures: 10 });
    succeed(world, [world.breaker.tryAcquire()]);
    expect(fail(world, 30)).toBe(30);
    world.breaker.update({ ...options, consecutiveFailures: 9 });
    expect(fail(world)).toBe(4 * 9 - 30);
  });

  test('a half-open state ends by itself, whatever callers do (935, 2289)', () => {
    const world = setup();
    halfOpen(world);
    for (let trial = 0; trial < 8; trial++) {
      world.clock.advanceSync(30_000 + 100 + 2_000);
      expect(world.breaker.tryAcquire()).toBeGreaterThan(0);
    }
  });
});
