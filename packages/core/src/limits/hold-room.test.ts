import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Held, HoldRoom } from './hold-room.ts';

class Caller implements Held {
  readonly id: number;
  readonly endsAt: number;
  went: number | undefined;
  gaveUp: number | undefined;

  constructor(id: number, endsAt: number) {
    this.id = id;
    this.endsAt = endsAt;
  }

  get over(): boolean {
    return this.went !== undefined || this.gaveUp !== undefined;
  }

  letGo(now: number): void {
    expect(this.over).toBe(false);
    this.went = now;
  }

  giveUp(now: number): void {
    expect(this.over).toBe(false);
    this.gaveUp = now;
  }
}

const yes = () => true;

describe('who is held', () => {
  test('whoever has time for a call after the wait, as long as there is a place', () => {
    const room = new HoldRoom({ maxHeld: 2 });
    expect(room.enter(new Caller(1, 1_040), 40, 1_000)).toBe(false);
    expect(room.enter(new Caller(2, 1_041), 40, 1_000)).toBe(true);
    expect(room.enter(new Caller(3, 9_000), 40, 1_000)).toBe(true);
    expect(room.enter(new Caller(4, 9_000), 40, 1_000)).toBe(false);
    expect(room.size).toBe(2);
  });

  test('until the time that a call takes is all that is left, or the longest wait is over', () => {
    const room = new HoldRoom({ maxHoldMs: 500 });
    const hurried = new Caller(1, 300);
    const patient = new Caller(2, 60_000);
    room.enter(patient, 40, 0);
    room.enter(hurried, 40, 0);
    room.expire(259);
    expect(hurried.over).toBe(false);
    room.expire(260);
    expect(hurried.gaveUp).toBe(260);
    room.expire(499);
    expect(patient.over).toBe(false);
    room.expire(500);
    expect(patient.gaveUp).toBe(500);
    expect(room.size).toBe(0);
  });

  test('a caller who leaves is told nothing more', () => {
    const room = new HoldRoom();
    const caller = new Caller(1, 1_000);
    room.enter(caller, 40, 0);
    expect(room.leave(caller)).toBe(true);
    expect(room.leave(caller)).toBe(false);
    room.serve(100, yes, 10);
    room.clear(20);
    expect(caller.over).toBe(false);
  });

  test('all go when the room is cleared', () => {
    const room = new HoldRoom();
    const callers = [1, 2, 3].map((id) => new Caller(id, 1_000));
    for (const caller of callers) room.enter(caller, 40, 0);
    room.clear(5);
    expect(callers.map(({ gaveUp }) => gaveUp)).toEqual([5, 5, 5]);
  });
});

describe('who is let go', () => {
  /** An outage of a second, 250 calls a second, each with a second of time; then it is served each 20 ms. */
  function afterOutage(admits: () => boolean = yes) {
    const room = new HoldRoom();
    const callers = Array.from({ length: 250 }, (_, id) => new Caller(id, id * 4 + 1_000));
    for (const caller of callers) {
      room.expire(caller.id * 4);
      room.enter(caller, 40, caller.id * 4);
    }
    for (let now = 1_000; now < 2_200; now += 20) room.serve(250, admits, now);
    return callers;
  }

  test('one after the other, the first first, none too late; most are saved', () => {
    const callers = afterOutage();
    const went = callers.filter((caller) => caller.went !== undefined);
    expect(callers.every(({ over }) => over)).toBe(true);
    expect(went.map(({ went }) => went)).toEqual(
      went.map(({ went }) => went).toSorted((a = 0, b = 0) => a - b),
    );
    for (const { went: at = 0, endsAt } of went) expect(at).toBeLessThanOrEqual(endsAt - 40);
    expect(went.length).toBeGreaterThan(0.85 * callers.length);
  });

  test('without a stampede: the rate at first is half of the usual one, and doubles', () => {
    const within = (from: number, until: number) =>
      afterOutage().filter(({ went = 0 }) => went >= from && went < until).length;
    expect(within(1_000, 1_100)).toBeLessThan(20);
    expect(within(1_100, 1_200)).toBeLessThan(30);
    expect(within(1_300, 1_400)).toBeGreaterThan(within(1_000, 1_100));
  });

  test('none where none is admitted, and admission is not asked for in vain', () => {
    let asked = 0;
    const callers = afterOutage(() => {
      asked++;
      return asked % 2 === 0;
    });
    const went = callers.filter((caller) => caller.went !== undefined).length;
    expect(Math.abs(asked - 2 * went)).toBeLessThanOrEqual(1);
    expect(afterOutage(() => false).some(({ went }) => went !== undefined)).toBe(false);
  });

  test('after a pause the pace begins anew', () => {
    const room = new HoldRoom({ maxHoldMs: 60_000 });
    for (let id = 0; id < 500; id++) room.enter(new Caller(id, 100_000), 40, 0);
    for (let now = 0; now < 400; now += 20) room.serve(100, yes, now);
    const before = room.size;
    room.serve(100, yes, 10_000);
    expect(before - room.size).toBe(1);
  });

  test('who is let go may enter again at once', () => {
    const room = new HoldRoom();
    let times = 0;
    const restless: Held = {
      endsAt: 1_000,
      letGo: (now) => {
        times++;
        room.enter(restless, 40, now);
      },
      giveUp: () => {},
    };
    room.enter(restless, 40, 0);
    for (let now = 0; now < 100; now += 20) room.serve(100, yes, now);
    expect(room.size).toBe(1);
    expect(times).toBeLessThanOrEqual(20);
  });
});

describe('in a closed loop: an upstream that is up for two seconds and down for two', () => {
  /** 250 calls a second with a second of time each, a capacity of 500; the share of the calls while it was down that was saved, and the most let go in a tick. */
  function flap(maxHeld: number) {
    const room = new HoldRoom({ maxHeld });
    let calls = 0;
    let good = 0;
    let most = 0;
    for (let now = 0; now < 22_000; now += 20) {
      const up = Math.floor(now / 2_000) % 2 === 0;
      let places = up ? 10 : 0;
      for (let call = 0; call < 5; call++) {
        const caller = new Caller(calls++, now + 1_000);
        if (places > 0) {
          places--;
          good++;
        } else room.enter(caller, 40, now);
      }
      room.expire(now);
      if (up) {
        const free = places;
        room.serve(250, () => places-- > 0, now);
        places = Math.max(0, places);
        good += free - places;
        most = Math.max(most, free - places);
      }
    }
    return { saved: (good - 3_000) / 2_500, most };
  }

  test('of the half that has the time, nearly all is saved, within the capacity', () => {
    expect(flap(0).saved).toBe(0);
    expect(flap(500).saved).toBeGreaterThan(0.42);
    expect(flap(500).most).toBeLessThanOrEqual(5);
  });

  test('a small room saves no more than it has places', () => {
    expect(flap(50).saved).toBeGreaterThan(0.05);
    expect(flap(50).saved).toBeLessThanOrEqual(0.1);
  });
});

test('each call that came in hears of it once, and in time', () => {
  const step = fc.record({
    gapMs: fc.nat({ max: 120 }),
    what: fc.constantFrom('enter', 'enter', 'leave', 'expire', 'serve'),
    timeMs: fc.nat({ max: 1_500 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.nat({ max: 20 }), (steps, maxHeld) => {
      const room = new HoldRoom({ maxHeld });
      const inside = new Map<Caller, number>();
      let now = 0;
      for (const { gapMs, what, timeMs } of steps) {
        now += gapMs;
        if (what === 'enter') {
          const caller = new Caller(now, now + timeMs);
          if (room.enter(caller, 40, now)) inside.set(caller, now);
        } else if (what === 'leave') {
          const [caller] = inside.keys();
          if (caller !== undefined) {
            expect(room.leave(caller)).toBe(true);
            inside.delete(caller);
          }
        } else if (what === 'expire') room.expire(now);
        else room.serve(200, () => timeMs % 2 === 0, now);
        for (const caller of inside.keys()) {
          if (caller.went !== undefined) expect(caller.went).toBeLessThanOrEqual(caller.endsAt - 40);
          if (caller.over) inside.delete(caller);
        }
        expect(room.size).toBe(inside.size);
        expect(room.size).toBeLessThanOrEqual(maxHeld);
      }
      room.expire(now + 1_500);
      expect(room.size).toBe(0);
    }),
  );
});
