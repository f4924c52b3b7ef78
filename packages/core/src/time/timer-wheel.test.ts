import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Timed, TimerWheel } from './timer-wheel.ts';

const TICK_MS = 20;
const REVOLUTION_MS = 512 * TICK_MS;

class Entry extends Timed {
  readonly expiries: number[] = [];
  readonly #onExpire: (() => void) | undefined;

  constructor(deadline: number, onExpire?: () => void) {
    super();
    this.deadline = deadline;
    this.#onExpire = onExpire;
  }

  expire(now: number): void {
    this.expiries.push(now);
    this.#onExpire?.();
  }
}

function rethrow(error: unknown): never {
  throw error;
}

type Step =
  | { add: number; chained?: number | undefined }
  | { settle: number }
  | { advance: number }
  | { addMany: number };

const delay = fc.oneof(
  fc.constantFrom(
    -50,
    0,
    1,
    19,
    20,
    21,
    REVOLUTION_MS - 20,
    REVOLUTION_MS,
    REVOLUTION_MS + 1,
    3 * REVOLUTION_MS,
  ),
  fc.double({ min: 0, max: 2 * REVOLUTION_MS, noNaN: true }),
);
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ add: delay }) },
    { weight: 1, arbitrary: fc.record({ add: delay, chained: delay }) },
    { weight: 2, arbitrary: fc.record({ settle: fc.nat(30) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        advance: fc.oneof(fc.constantFrom(0, 7, 20, 20, 500, REVOLUTION_MS, 1e6), delay),
      }),
    },
    { weight: 1, arbitrary: fc.record({ addMany: fc.constantFrom(4_095, 4_096) }) },
  ),
  { maxLength: 50 },
);

/** Runs the steps on a wheel and on a plain list of what is waiting. */
function check(start: number, run: readonly Step[]): void {
  const wheel = new TimerWheel(TICK_MS, start, rethrow);
  const waiting = new Set<Entry>();
  const all: Entry[] = [];
  let now = start;
  const add = (delayMs: number, chained?: number) => {
    const entry: Entry = new Entry(now + delayMs, chained === undefined ? undefined : () => add(chained));
    wheel.add(entry);
    waiting.add(entry);
    all.push(entry);
    return entry;
  };
  const advance = (ms: number) => {
    now += Math.max(0, ms);
    const due = [...waiting].filter((entry) => entry.deadline <= now);
    for (const entry of due) waiting.delete(entry);
    const before = all.length;
    wheel.advance(now);
    for (const entry of due) expect(entry.expiries).toEqual([now]);
    for (const entry of all.slice(before)) expect(entry.expiries).toEqual([]);
    for (const entry of waiting) expect(entry.expiries).toEqual([]);
    expect(wheel.busy).toBe(waiting.size > 0);
  };
  for (const step of run) {
    if ('add' in step) add(step.add, step.chained);
    else if ('advance' in step) advance(step.advance);
    else if ('addMany' in step) for (let i = 0; i < step.addMany; i++) wheel.settle(add(100));
    else if (all.length > 0) {
      const entry = all[all.length - 1 - (step.settle % all.length)] as Entry;
      wheel.settle(entry);
      waiting.delete(entry);
    }
    if ('addMany' in step) for (const entry of all) if (entry.settled) waiting.delete(entry);
  }
  for (let left = 0; left < 8; left++) advance(3 * REVOLUTION_MS);
  expect(wheel.busy).toBe(false);
  for (const entry of all) expect(entry.expiries.length).toBeLessThanOrEqual(1);
}

describe('TimerWheel', () => {
  test('wakes each unsettled entry once, at the first advance from its deadline on, and no other', () => {
    fc.assert(fc.property(fc.double({ min: 0, max: 1e7, noNaN: true }), steps, check), { numRuns: 400 });
  });

  test('an entry settled from within another one of the same moment is not woken', () => {
    const wheel = new TimerWheel(TICK_MS, 0, rethrow);
    const victim = new Entry(100);
    const killer = new Entry(100, () => wheel.settle(victim));
    wheel.add(killer);
    wheel.add(victim);
    wheel.advance(100);
    expect([killer.expiries, victim.expiries]).toEqual([[100], []]);
    expect(wheel.busy).toBe(false);
  });

  test('an entry added from within expire waits for the next advance, even when it is overdue', () => {
    const wheel = new TimerWheel(TICK_MS, 0, rethrow);
    const late = new Entry(10);
    wheel.add(new Entry(100, () => wheel.add(late)));
    wheel.advance(100);
    expect(late.expiries).toEqual([]);
    wheel.advance(101);
    expect(late.expiries).toEqual([101]);
  });

  test('a thousand entries added from within expire are neither lost nor woken early', () => {
    const wheel = new TimerWheel(TICK_MS, 0, rethrow);
    const later: Entry[] = [];
    const refill = () => {
      for (let i = 0; i < 5_000; i++) {
        const entry = new Entry(i % 2 === 0 ? 150 : 5_000);
        later.push(entry);
        wheel.add(entry);
      }
    };
    wheel.add(new Entry(100, refill));
    wheel.advance(200);
    wheel.advance(220);
    for (const entry of later) expect(entry.expiries).toHaveLength(entry.deadline === 150 ? 1 : 0);
    wheel.advance(5_000);
    for (const entry of later) expect(entry.expiries).toHaveLength(1);
  });

  test('an entry that throws holds up no other, of its own tick or of a later one, and is told of', () => {
    const errors: unknown[] = [];
    const wheel = new TimerWheel(TICK_MS, 0, (error) => errors.push(error));
    const entries = [90, 95, 130, 170].map(
      (deadline) =>
        new Entry(deadline, () => {
          throw deadline;
        }),
    );
    for (const entry of entries) wheel.add(entry);
    wheel.advance(0);
    wheel.advance(180);
    expect(entries.map(({ expiries }) => expiries)).toEqual([[180], [180], [180], [180]]);
    expect(errors).toEqual([90, 95, 130, 170]);
    expect(wheel.busy).toBe(false);
  });

  test('settling twice, or after expiry, does no harm', () => {
    const wheel = new TimerWheel(TICK_MS, 0, rethrow);
    const entry = new Entry(50);
    const neighbour = new Entry(50);
    wheel.add(entry);
    wheel.add(neighbour);
    wheel.advance(0);
    wheel.settle(entry);
    wheel.settle(entry);
    wheel.advance(60);
    wheel.settle(neighbour);
    expect([entry.expiries, neighbour.expiries]).toEqual([[], [60]]);
    expect(wheel.busy).toBe(false);
  });

  test('visits no more than one revolution after a jump of a year', () => {
    const wheel = new TimerWheel(TICK_MS, 0, rethrow);
    const entry = new Entry(1e6);
    wheel.add(entry);
    wheel.advance(0);
    const before = performance.now();
    wheel.advance(365 * 86_400_000);
    expect(performance.now() - before).toBeLessThan(100);
    expect(entry.expiries).toEqual([365 * 86_400_000]);
  });
});
