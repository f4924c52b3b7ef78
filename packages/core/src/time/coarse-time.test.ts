import { describe, expect, test } from 'vitest';
import { CoarseTime, TICK_MS } from './coarse-time.ts';
import { seededRandom } from './random.ts';
import { Timed } from './timer-wheel.ts';
import { VirtualClock } from './virtual-clock.ts';

class Deadline extends Timed {
  expiredAt: number | undefined;

  expire(now: number): void {
    this.expiredAt = now;
  }
}

class Logged extends Deadline {
  readonly log: string[];

  constructor(log: string[]) {
    super();
    this.log = log;
  }

  override expire(now: number): void {
    super.expire(now);
    this.log.push('expired');
  }
}

function setup(seed = 1) {
  const clock = new VirtualClock();
  return { clock, time: new CoarseTime(clock, seededRandom(seed), () => {}) };
}

/** Enters calls until the next tick; returns the sum of the weights of those that were timed. */
function tick({ clock, time }: ReturnType<typeof setup>, calls: number): number {
  let weights = 0;
  for (let i = 0; i < calls; i++) {
    time.enter();
    weights += time.weight;
  }
  clock.advanceSync(TICK_MS);
  return weights;
}

/** Runs a number of calls a tick, and says how far the weights are from the number of calls. */
function bias(callsOf: (tick: number) => number, ticks: number): number {
  const world = setup(7);
  let calls = 0;
  let weights = 0;
  for (let i = 0; i < ticks; i++) {
    calls += callsOf(i);
    weights += tick(world, callsOf(i));
  }
  return weights / calls - 1;
}

describe('sampling', () => {
  test('up to 64 calls a tick are all timed, each for itself', () => {
    const world = setup();
    for (const calls of [1, 64, 10, 64, 64]) expect(tick(world, calls)).toBe(calls);
  });

  test('a burst out of silence is timed exactly at first', () => {
    const { time } = setup();
    for (let i = 0; i < 1_000; i++) {
      time.enter();
      expect(time.weight).toBe(1);
    }
  });

  test('beyond, the clock is read for one call in 16', () => {
    const world = setup();
    tick(world, 1_000);
    let timed = 0;
    for (let i = 0; i < 100_000; i++) {
      world.time.enter();
      if (world.time.weight > 0) timed++;
      if (i % 1_000 === 999) world.clock.advanceSync(TICK_MS);
    }
    expect(timed).toBeGreaterThan(5_800);
    expect(timed).toBeLessThan(6_700);
  });

  // With n timed calls of weight 16, chance alone moves the sum by about 1/sqrt(n): four times that is the bound.
  test.each<[string, (tick: number) => number, number]>([
    ['steady at 65 a tick', () => 65, 0.02],
    ['steady at 1000 a tick', () => 1_000, 0.01],
    ['a burst of 100 every other tick', (i) => (i % 2 === 0 ? 100 : 0), 0.02],
    ['65 and 10 in turn', (i) => (i % 2 === 0 ? 65 : 10), 0.02],
    ['bursts of 5000 after silence', (i) => (i % 10 === 0 ? 5_000 : 3), 0.01],
    ['growth from 1 to 2000 a tick, and again', (i) => 1 + (i % 2_000), 0.01],
    ['fewer calls than one gap', (i) => (i % 3 === 0 ? 65 : 5), 0.03],
  ])('the weights add up to the calls: %s', (_name, callsOf, bound) => {
    expect(Math.abs(bias(callsOf, 20_000))).toBeLessThan(bound);
  });

  test.each([2, 4, 16, 31])('of %i targets that take turns, each gets its share', (targets) => {
    const world = setup(3);
    const weights = new Array<number>(targets).fill(0);
    const each = 40_000;
    for (let call = 0; call < each * targets; call++) {
      world.time.enter();
      weights[call % targets] = (weights[call % targets] as number) + world.time.weight;
      if (call % 500 === 499) world.clock.advanceSync(TICK_MS);
    }
    for (const weight of weights) expect(Math.abs(weight / each - 1)).toBeLessThan(4 / Math.sqrt(each / 16));
  });
});

describe('sleep', () => {
  test('a second of silence stops the ticking, a call starts it again', () => {
    const world = setup();
    tick(world, 1);
    expect(world.clock.pending).toBe(1);
    world.clock.advanceSync(1_100);
    expect(world.clock.pending).toBe(0);
    world.clock.advanceSync(60_000);
    expect(world.time.enter()).toBe(world.clock.now());
    expect(world.clock.pending).toBe(1);
    expect(world.time.stalls).toBe(0);
  });

  test('does not sleep while a deadline waits, and keeps the process alive for it', () => {
    const { clock, time } = setup();
    const deadline = new Deadline();
    deadline.deadline = clock.now() + 5_000;
    time.await(deadline);
    expect(clock.keepsAlive).toBe(true);
    clock.advanceSync(4_990);
    expect([deadline.expiredAt, clock.keepsAlive]).toEqual([undefined, true]);
    clock.advanceSync(2 * TICK_MS);
    expect((deadline.expiredAt as number) - deadline.deadline).toBeLessThan(TICK_MS);
    clock.advanceSync(2_000);
    expect([clock.pending, clock.keepsAlive]).toEqual([0, false]);
  });

  test('does not sleep while a listener wants the ticks', () => {
    const { clock, time } = setup();
    let wanted = true;
    const end = time.onTick(() => wanted);
    time.ensureAwake();
    clock.advanceSync(10_000);
    expect(clock.pending).toBe(1);
    wanted = false;
    clock.advanceSync(2_000);
    expect(clock.pending).toBe(0);
    end();
  });

  test('the coarse time is never older than a tick while calls come', () => {
    const { clock, time } = setup();
    for (let i = 0; i < 100; i++) {
      const now = time.enter();
      expect(clock.now() - now).toBeLessThan(TICK_MS);
      clock.advanceSync(7);
    }
  });

  test('stop means stop, even from within a tick', () => {
    const { clock, time } = setup();
    time.onTick(() => {
      time.stop();
      return true;
    });
    time.enter();
    clock.advanceSync(1_000);
    expect(clock.pending).toBe(0);
    time.enter();
    expect(clock.pending).toBe(1);
  });
});

describe('a blocked event loop', () => {
  function blocked(
    during?: (time: CoarseTime, clock: VirtualClock) => void,
    before?: (clock: VirtualClock) => void,
  ) {
    const { clock, time } = setup();
    const log: string[] = [];
    const deadline = new Logged(log);
    time.enter();
    clock.advanceSync(TICK_MS);
    deadline.deadline = clock.now() + 300;
    time.wheel.add(deadline);
    before?.(clock);
    clock.block(500);
    during?.(time, clock);
    // The answer that lay in the socket is read in the poll phase, after the late tick.
    clock.afterPoll(() => {
      log.push('answer');
      time.wheel.settle(deadline);
    });
    clock.advanceSync(0);
    return { clock, time, deadline, log };
  }

  test('lets one poll phase pass before deadlines are judged', () => {
    const { log, time, clock } = blocked();
    expect(log).toEqual(['answer']);
    expect([time.stalls, time.stallEnd]).toEqual([1, clock.now()]);
  });

  test('does so too when a call has come first, and counts the stall once', () => {
    const { log, time, clock } = blocked((time) => time.enter());
    expect(log).toEqual(['answer']);
    expect([time.stalls, time.stallEnd]).toEqual([1, clock.now()]);
  });

  test('does so too when somebody has read the time first', () => {
    const { log, time } = blocked((time) => time.read());
    expect(log).toEqual(['answer']);
    expect(time.stalls).toBe(1);
  });

  test('is seen by the first call after it, which takes the present for its time', () => {
    const { clock, time } = setup();
    time.enter();
    clock.block(5_000);
    expect(time.enter()).toBe(clock.now());
    expect([time.stalls, time.stallEnd]).toEqual([1, clock.now()]);
  });

  test('is lost once, from when the tick was due, whoever tells of it', () => {
    const { clock, time } = setup();
    time.enter();
    clock.block(TICK_MS + 500);
    time.enter();
    clock.block(100);
    time.read();
    expect(time.lostMs).toBe(600);
    clock.advanceSync(1_000);
    clock.block(TICK_MS + 400);
    clock.advanceSync(0);
    expect([time.lostMs, time.stalls]).toEqual([1_000, 2]);
  });

  test('does so too when other timers take so long that the next tick comes before the poll', () => {
    const slowTimer = (clock: VirtualClock) => {
      clock.setTimer(() => clock.block(2 * TICK_MS), TICK_MS + 1);
    };
    const { log, time } = blocked(undefined, slowTimer);
    expect(log).toEqual(['answer']);
    expect(time.ticks).toBe(3);
  });

  test('does so too when it is blocked again in the poll phase after another stall', () => {
    const { clock, time } = setup();
    const log: string[] = [];
    const deadline = new Logged(log);
    time.enter();
    deadline.deadline = clock.now() + 600;
    time.wheel.add(deadline);
    clock.block(300);
    clock.afterPoll(() => {
      clock.block(500);
      clock.afterPoll(() => log.push('answer'));
    });
    clock.advanceSync(TICK_MS);
    expect(log).toEqual(['answer', 'expired']);
    expect(time.stalls).toBe(2);
  });

  test('what begins in the poll phase after it hears of the time that it is then', () => {
    const { clock, time } = setup();
    const heard: number[] = [];
    const late = new Deadline();
    late.ticked = (now) => heard.push(now);
    time.enter();
    clock.block(500);
    clock.afterPoll(() => {
      clock.block(70);
      time.wheel.add(late);
    });
    clock.advanceSync(0);
    expect(heard).toEqual([clock.now()]);
  });

  test('without an answer the deadline holds, one poll phase later', () => {
    const { clock, time } = setup();
    const deadline = new Deadline();
    time.enter();
    deadline.deadline = clock.now() + 300;
    time.wheel.add(deadline);
    clock.block(500);
    clock.advanceSync(0);
    expect(deadline.expiredAt).toBe(clock.now());
    expect(time.stallEnd).toBe(clock.now());
  });

  test('a tick late by less than 100 ms is no stall', () => {
    const { clock, time } = setup();
    time.enter();
    clock.block(TICK_MS + 90);
    clock.advanceSync(0);
    time.read();
    expect(time.stalls).toBe(0);
  });

  test('sleep is no stall', () => {
    const { clock, time } = setup();
    clock.advanceSync(60_000);
    time.read();
    time.enter();
    clock.advanceSync(TICK_MS);
    expect(time.stalls).toBe(0);
  });
});
