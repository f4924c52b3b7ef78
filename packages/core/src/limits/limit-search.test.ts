import { describe, expect, test } from 'vitest';
import { CallTally } from './call-tally.ts';
import { LimitSearch } from './limit-search.ts';

const TERMS = { usualMs: 40, lateMs: 100, minLimit: 4, patienceMs: Number.POSITIVE_INFINITY };
const WINDOW_MS = 100;

/** An upstream as a fluid: `perMs` calls a ms at most, each in `leastMs` at least; all places are taken. */
interface Fluid {
  readonly perMs: number;
  readonly leastMs: number;
}

function tallyOf({ perMs, leastMs }: Fluid, limit: number, now: number, refused = 10): CallTally {
  const tally = new CallTally();
  tally.restart(now - WINDOW_MS, limit);
  const rate = Math.min(perMs, limit / leastMs);
  tally.good = tally.ended = rate * WINDOW_MS;
  tally.goodMs = tally.good * Math.max(leastMs, limit / rate);
  tally.refused = refused;
  return tally;
}

function search(before: Fluid, inFlight: number, terms = TERMS) {
  const rate = Math.min(before.perMs, inFlight / before.leastMs);
  const found = new LimitSearch(terms, tallyOf(before, inFlight, 0), rate, inFlight, 0);
  let now = 0;
  const go = (fluid: Fluid, ms: number, refused?: number) => {
    for (const until = now + ms; now < until && found.over === undefined; ) {
      now += WINDOW_MS;
      found.look(tallyOf(fluid, found.limit, now, refused), found.limit, now);
    }
    return found.limit;
  };
  return { found, go };
}

describe('a queue', () => {
  const queue = { perMs: 0.5, leastMs: 40 };

  test('is cut down to what is put up with, as long as that costs nothing, and no further', () => {
    const { go, found } = search(queue, 300);
    const limit = go(queue, 20_000);
    expect(found.over).toBeUndefined();
    expect(limit).toBeGreaterThan(20);
    expect(limit).toBeLessThanOrEqual(100);
  });

  test('whose service takes ten times as long: a cut too far is undone', () => {
    const slow = { perMs: 0.05, leastMs: 400 };
    const { go, found } = search(slow, 100);
    go(slow, 20_000);
    const limits = Array.from({ length: 40 }, () => go(slow, 1_000));
    expect(found.over).toBeUndefined();
    expect(limits.filter((limit) => limit > 18 && limit < 60).length).toBeGreaterThan(28);
  });

  test('is held to half of the patience from the start', () => {
    const { found } = search({ perMs: 0.05, leastMs: 400 }, 100, { ...TERMS, patienceMs: 1_000 });
    expect(found.limit).toBe(25);
  });

  test('of an upstream that can do more again: the limit rises with it', () => {
    const { go } = search(queue, 300);
    const limit = go(queue, 20_000);
    expect(go({ perMs: 2, leastMs: 40 }, 3_000)).toBeGreaterThan(2 * limit);
  });

  test('while callers give up, what comes of a limit is not judged', () => {
    const { go, found } = search(queue, 300);
    const limit = go(queue, 5_000);
    for (let now = 5_100; now < 20_000; now += WINDOW_MS) {
      const tally = tallyOf({ perMs: 0.01, leastMs: 40 }, limit, now);
      tally.gaveUp = tally.ended;
      found.look(tally, limit, now);
    }
    expect(found.over).toBeUndefined();
    expect(found.limit).toBe(limit);
  });

  test('the limit never falls below the least', () => {
    const stopped = { perMs: 0.0001, leastMs: 40 };
    expect(search(stopped, 5).go(stopped, 60_000)).toBeGreaterThanOrEqual(TERMS.minLimit);
  });
});

describe('it is over', () => {
  test('when the first cut costs goodput: there is no queue', () => {
    const far = { perMs: Number.POSITIVE_INFINITY, leastMs: 400 };
    const { go, found } = search(far, 100);
    go(far, 10_000);
    expect(found.over).toBe('no gain');
  });

  test('when nothing was refused for five seconds; it is idle after one', () => {
    const queue = { perMs: 0.5, leastMs: 40 };
    const { go, found } = search(queue, 300);
    go(queue, 2_000);
    go(queue, 1_000, 0);
    expect(found.isIdle(3_000)).toBe(false);
    expect(found.isIdle(3_100)).toBe(true);
    go(queue, 4_000, 0);
    expect(found.over).toBeUndefined();
    go(queue, 300, 0);
    expect(found.over).toBe('unused');
  });

  test('when as many give up as without it, and fewer are answered', () => {
    const given = (good: number, now: number) => {
      const tally = new CallTally();
      tally.restart(now - WINDOW_MS, 100);
      tally.add(900, 'success', 100);
      tally.good = good;
      tally.goodMs = 900 * good;
      tally.gaveUp = good;
      tally.ended = 2 * good;
      tally.refused = 10;
      return tally;
    };
    const found = new LimitSearch(TERMS, given(12, 0), 0.12, 240, 0);
    let now = 0;
    while (found.over === undefined && now < 20_000) {
      now += WINDOW_MS;
      found.look(given(6, now), found.limit, now);
    }
    expect(found.over).toBe('no gain');
    expect(now).toBeGreaterThan(5_000);
    expect(now).toBeLessThan(8_000);
  });
});
