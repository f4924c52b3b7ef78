import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../time/random.ts';
import { AdaptiveThrottle, type AdaptiveThrottleOptions } from './adaptive-throttle.ts';
import { type Client, runModel } from './queue-model.test-helper.ts';

/** Calls at an even rate, each answered at once, of which the other side takes those that `takes` says. */
function drive(options: AdaptiveThrottleOptions = {}, perSecond = 100, seed = 1) {
  const throttle = new AdaptiveThrottle(options);
  const random = seededRandom(seed);
  let now = 0;
  return {
    throttle,
    /** The share of calls that were refused here, and of those that the other side took. */
    run(ms: number, takes: (now: number) => boolean, predicted?: number) {
      let calls = 0;
      let refused = 0;
      let taken = 0;
      for (const until = now + ms; now < until; now += 1_000 / perSecond) {
        if (predicted !== undefined) throttle.predict(predicted, now);
        calls++;
        if (throttle.refuses(random, now)) {
          refused++;
          continue;
        }
        const accepted = takes(now);
        if (accepted) taken++;
        throttle.ended(accepted, now);
      }
      return { refused: refused / calls, taken: taken / calls };
    },
  };
}

const well = () => true;
const down = () => false;

function share(of: number, seed = 7) {
  const random = seededRandom(seed);
  return () => random.next() < of;
}

describe('by accepts', () => {
  test('nothing is refused as long as half of the calls are taken', () => {
    expect(drive().run(60_000, well).refused).toBe(0);
    expect(drive({}, 100).run(60_000, share(0.65)).refused).toBe(0);
  });

  test('where nothing is taken, a tenth goes on', () => {
    const { run } = drive();
    run(3_000, down);
    expect(run(10_000, down).refused).toBeCloseTo(0.9, 1);
  });

  test('where a fifth of what is offered can be taken, at most K times as much is sent', () => {
    const { run } = drive({}, 500);
    let tokens = 0;
    const limited = () => {
      tokens = Math.min(20, tokens);
      if (tokens < 1) return false;
      tokens--;
      return true;
    };
    let refused = 0;
    for (let step = 0; step < 200; step++) {
      tokens += 10;
      refused = step < 100 ? 0 : refused + run(100, limited).refused / 100;
      if (step < 100) run(100, limited);
    }
    expect(refused).toBeGreaterThan(0.45);
    expect(refused).toBeLessThan(0.75);
  });

  test('calls that are still under way are not counted as turned down', () => {
    const throttle = new AdaptiveThrottle();
    const random = seededRandom(1);
    for (let now = 0; now < 5_000; now += 10) expect(throttle.refuses(random, now)).toBe(false);
  });

  test('a few calls say nothing', () => {
    const throttle = new AdaptiveThrottle();
    for (let call = 0; call < 9; call++) throttle.ended(false, 0);
    expect(throttle.refuses({ next: () => 0 }, 0)).toBe(false);
    throttle.ended(false, 0);
    expect(throttle.refuses({ next: () => 0 }, 0)).toBe(true);
  });
});

describe('recovery', () => {
  test('within two seconds nothing is refused any more, and there is no leap', () => {
    const { run, throttle } = drive();
    run(10_000, down);
    const shares: number[] = [];
    for (let step = 0; step < 25; step++) {
      run(100, well);
      shares.push(throttle.share);
    }
    for (let step = 1; step < shares.length; step++) {
      expect((shares[step - 1] as number) - (shares[step] as number)).toBeLessThan(0.15);
    }
    expect(run(5_000, well).refused).toBe(0);
  });

  test('of a target that was left alone, at once', () => {
    const { run, throttle } = drive();
    run(5_000, down);
    expect(throttle.refuses({ next: () => 0.5 }, 60_000)).toBe(false);
  });
});

describe('by prediction', () => {
  test('acts before a failure has come, and in proportion', () => {
    expect(drive().run(5_000, well, 0.5).refused).toBe(0);
    const { run } = drive();
    run(1_000, well, 0.75);
    expect(run(5_000, well, 0.75).refused).toBeCloseTo(0.5, 1);
  });

  test('one that is not renewed is not believed for long', () => {
    const { run, throttle } = drive();
    run(1_000, well, 1);
    expect(throttle.share).toBeGreaterThan(0.5);
    run(3_000, well);
    expect(run(1_000, well).refused).toBe(0);
  });
});

test('the share is that of the book, whatever came: between 0 and the largest, 0 where enough is taken', () => {
  const calls = fc.array(fc.tuple(fc.nat({ max: 500 }), fc.boolean()), { minLength: 20, maxLength: 300 });
  fc.assert(
    fc.property(calls, fc.double({ min: 1, max: 4, noNaN: true }), (events, multiplier) => {
      const throttle = new AdaptiveThrottle({ multiplier, easeMs: 1e-9, windowMs: 1e9 });
      let requests = 0;
      let accepts = 0;
      let now = 0;
      for (const [gap, accepted] of events) {
        now += gap;
        if (!throttle.refuses({ next: () => 0.999 }, now)) {
          throttle.ended(accepted, now);
          requests++;
          if (accepted) accepts++;
        }
        throttle.refuses({ next: () => 1 }, now + 1e-3);
        const wanted = requests < 10 ? 0 : Math.max(0, (requests - multiplier * accepts) / (requests + 1));
        expect(throttle.share).toBeGreaterThanOrEqual(0);
        expect(throttle.share).toBeLessThanOrEqual(Math.min(0.9, wanted) + 1e-9);
      }
    }),
  );
});

describe('in a closed loop with an upstream that refuses fast from a short queue of its own', () => {
  /** 4 hosts of 5 servers at 40 ms, with 10 places each; `perSecond` calls for 10 s. */
  function overload(perSecond: number, client: (throttle: AdaptiveThrottle) => Client) {
    const throttle = new AdaptiveThrottle();
    const rate = (at: number) => (at >= 5_000 && at < 15_000 ? perSecond : 250);
    const figures = runModel(
      { seconds: 20, queue: 10, rate, serviceMs: () => 40, seed: 11 },
      client(throttle),
    );
    const sum = (field: 'good' | 'refused' | 'offered', from: number, until?: number) =>
      figures.sum(field, from, until);
    return {
      good: sum('good', 5_000),
      sent: sum('offered', 5_000, 15_000) - sum('refused', 5_000, 15_000),
      refusedWhenWell: sum('refused', 0, 5_000) + sum('refused', 17_000),
    };
  }

  const alone = () => ({ admits: () => true, ended: () => {}, tick: () => {} });
  const throttled = (throttle: AdaptiveThrottle): Client => {
    const random = seededRandom(2);
    return {
      admits: (_, now) => !throttle.refuses(random, now),
      ended: (_, outcome, __, now) => throttle.ended(outcome !== 'overload', now),
      tick: () => {},
    };
  };

  test('it spares it most of what it would refuse, and costs next to no good answer', () => {
    const before = overload(2_500, alone);
    const after = overload(2_500, throttled);
    expect(after.good).toBeGreaterThan(0.97 * before.good);
    expect(after.sent).toBeLessThan(0.55 * before.sent);
    expect(after.refusedWhenWell).toBe(0);
  });

  test('at twice the load it does nothing', () => {
    expect(overload(900, throttled).good).toBeGreaterThan(0.99 * overload(900, alone).good);
  });
});
