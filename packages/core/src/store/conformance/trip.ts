import assert from 'node:assert/strict';
import type { OpenTerms, Report } from '../store.ts';
import { type FleetUnderTest, has, storeCase } from './fleet-under-test.ts';
import { claim, openTerms, report, tripTerms, verdict } from './inputs.ts';

type Seen = Partial<Report>;

/** Whether these replicas' windows open a target, once all are there and all were asked. */
async function opens(fleet: FleetUnderTest, target: string, windows: Readonly<Record<string, Seen>>) {
  for (const waitMs of [0, 200]) {
    await fleet.advance(waitMs);
    for (const [replica, window] of Object.entries(windows)) await fleet.reportAll([replica], target, window);
  }
  return (await fleet.view(target)).state === 'open';
}

const seen = (calls: number, failures: number, more: Seen = {}): Seen => ({ calls, failures, ...more });
const row = (streak: number): Seen => seen(500, streak, { streak });

async function openTimeOf(fleet: FleetUnderTest, target: string, terms: Partial<OpenTerms>): Promise<number> {
  return (await fleet.trip(target, { openTerms: { ...openTerms, ...terms } })).openMs;
}

/** When the fleet opens a target, and for how long. */
export const tripCases = [
  storeCase('trip: two that fail open it, 200 ms after the first ask', async (fleet) => {
    const cursor = await fleet.cursor();
    await fleet.reportAll(['a', 'b'], 't');
    await fleet.advance(199);
    has(await fleet.reportAll(['a', 'b'], 't'), { state: 'closed' });
    await fleet.advance(1);
    const view = await fleet.reportAll(['b'], 't');
    has(view, { state: 'open', epoch: 2, epochId: 't-2', openings: 1, reporters: 0 });
    has(view, { remainingMs: 1_000, openMs: 1_000, forced: null });
    assert.deepEqual(await fleet.newsSince(cursor), [
      { kind: 'ask', targets: ['t'] },
      { kind: 'view', view },
    ]);
  }),

  storeCase('trip: a suspicion that has passed waits for 200 ms anew', async (fleet) => {
    await fleet.reportAll(['a', 'b'], 't');
    await fleet.advance(10_001);
    has(await fleet.reportAll(['a', 'b'], 't'), { state: 'closed' });
    await fleet.advance(200);
    has(await fleet.reportAll(['a'], 't'), { state: 'open' });
  }),

  storeCase('trip: not on the word of one, whatever its traffic', async (fleet) => {
    assert.equal(await opens(fleet, 't', { a: seen(5_000, 5_000), b: seen(40, 1), c: seen(40, 0) }), false);
    assert.equal(await opens(fleet, 'u', { a: seen(900, 900), b: seen(30, 2) }), false);
  }),

  storeCase('trip: not below the minimum of calls, with the worst cut to the second', async (fleet) => {
    assert.equal(await opens(fleet, 't', { a: seen(90, 90), b: seen(4, 4) }), false);
    assert.equal(await opens(fleet, 'u', { a: seen(90, 90), b: seen(5, 5) }), true);
  }),

  storeCase('trip: not where those beside the worst have less than half of the minimum', async (fleet) => {
    assert.equal(await opens(fleet, 't', { a: seen(20, 10), b: seen(4, 4) }), false);
    assert.equal(await opens(fleet, 'u', { a: seen(20, 10), b: seen(5, 5) }), true);
  }),

  storeCase('trip: not where those beside the worst are below the rate', async (fleet) => {
    const rest = { b: seen(10, 5), c: seen(2, 0) };
    assert.equal(await opens(fleet, 't', { a: seen(30, 30), ...rest }), false);
    assert.equal(await opens(fleet, 'u', { a: seen(30, 30), ...rest, c: seen(2, 1) }), true);
  }),

  storeCase('trip: of two with as many failures, the one with fewer calls is the worst', async (fleet) => {
    const [fewer, more, none] = [seen(10, 10), seen(20, 10), seen(5, 0)];
    assert.equal(await opens(fleet, 't', { a: fewer, b: more, c: none }), false);
    assert.equal(await opens(fleet, 'u', { a: more, b: fewer, c: none }), false);
  }),

  storeCase('trip: with the shortest window, too', async (fleet) => {
    const terms = { ...tripTerms, windowMs: 100, hash: 'h0' };
    await fleet.reportAll(['a', 'b'], 't', { terms });
    await fleet.advance(150);
    has(await fleet.reportAll(['a', 'b'], 't', { terms }), { state: 'closed' });
    await fleet.advance(50);
    has(await fleet.reportAll(['a', 'b'], 't', { terms }), { state: 'open' });
  }),

  storeCase('trip: half of those that report must have trouble, and two at least', async (fleet) => {
    const fine = { c: seen(5, 2), d: seen(5, 2), e: seen(5, 2) };
    assert.equal(await opens(fleet, 't', { a: seen(20, 20), b: seen(20, 20), ...fine }), false);
    assert.equal(await opens(fleet, 'u', { a: seen(20, 20), b: seen(20, 20), ...fine, c: seen(5, 3) }), true);
    const terms = { ...tripTerms, quorum: 0, hash: 'h0' };
    assert.equal(await opens(fleet, 'v', { a: seen(20, 20, { terms }), b: seen(20, 1, { terms }) }), false);
  }),

  storeCase('trip: one failure is no trouble', async (fleet) => {
    const names = Array.from({ length: 12 }, (_, i) => `r${i}`);
    const each = (window: Seen) => Object.fromEntries(names.map((name) => [name, window]));
    assert.equal(await opens(fleet, 't', each(seen(1, 1))), false);
    assert.equal(await opens(fleet, 'u', each(seen(2, 2))), true);
  }),

  storeCase('trip: two that are open open it, whatever the rate', async (fleet) => {
    const own = seen(100, 3, { open: true });
    assert.equal(await opens(fleet, 't', { a: own, b: seen(100, 3) }), false);
    assert.equal(await opens(fleet, 'u', { a: own, b: own }), true);
  }),

  storeCase('trip: what fails in a row is added up, though windows are full of successes', async (fleet) => {
    assert.equal(await opens(fleet, 't', { a: row(5), b: row(5), c: row(5) }), false);
    assert.equal(await opens(fleet, 'u', { a: row(5), b: row(5), c: row(5), d: row(5) }), true);
  }),

  storeCase('trip: what fails in a row for one counts no more than for the second', async (fleet) => {
    assert.equal(await opens(fleet, 't', { a: row(50), b: row(3), c: row(3) }), false);
    assert.equal(await opens(fleet, 'u', { a: row(50), b: row(10) }), true);
    assert.equal(await opens(fleet, 'v', { a: row(50), b: row(9) }), false);
  }),

  storeCase('trip: where many report, it is judged every 100 ms', async (fleet) => {
    const fine = Array.from({ length: 21 }, (_, i) => `r${i}`);
    await fleet.reportAll(fine, 't', seen(5, 2));
    await fleet.advance(300);
    await fleet.reportAll(fine.slice(0, 1), 't', seen(5, 2));
    await fleet.advance(99);
    has(await fleet.reportAll(fine, 't'), { state: 'closed' });
    await fleet.advance(1);
    has(await fleet.reportAll(fine.slice(0, 1), 't'), { state: 'open' });
  }),

  storeCase('open time: half of the jitter at half the chance, from four fifths to six', async (fleet) => {
    const times = [];
    for (const chance of [0, 0.5, 1])
      times.push(await openTimeOf(fleet, `t${chance}`, { chance, openMs: 500 }));
    assert.deepEqual(times, [400, 500, 600]);
  }),

  storeCase('open time: at the bound, jitter only shortens', async (fleet) => {
    const times = [];
    for (const chance of [0, 0.5, 1])
      times.push(await openTimeOf(fleet, `t${chance}`, { chance, openMs: 9_000 }));
    assert.deepEqual(times, [1_600, 1_800, 2_000]);
  }),

  storeCase('open time: no shorter than the upstream asked for, up to a minute', async (fleet) => {
    assert.equal(await openTimeOf(fleet, 't', { noticeMs: 5_000 }), 5_000);
    assert.equal(await openTimeOf(fleet, 'u', { noticeMs: 500_000 }), 60_000);
    assert.equal(await openTimeOf(fleet, 'v', { noticeMs: 10 }), 1_000);
  }),

  storeCase(
    'open time: grows with openings soon after a close, and no longer after a calm',
    async (fleet) => {
      const again = async (waitMs: number) => {
        const view = await fleet.tripAndWait('t');
        await fleet.store.claim('a', claim(view, `${view.epoch}`, { probes: 1 }));
        await fleet.store.settle('a', verdict(view, `${view.epoch}`, 'ok'));
        await fleet.advance(waitMs);
        return [view.openings, view.openMs];
      };
      assert.deepEqual(
        [await again(0), await again(9_800), await again(10_001), await again(0)],
        [
          [1, 1_000],
          [2, 1_800],
          [3, 1_800],
          [1, 1_000],
        ],
      );
    },
  ),

  storeCase(
    'alone: a replica that knows of no other decides alone, ten seconds after it came',
    async (fleet) => {
      const beat = async (ms: number) => {
        await fleet.advance(ms);
        await fleet.store.heartbeat('a');
      };
      await beat(0);
      await beat(10_000);
      has(await fleet.report('a', report('t1')), { state: 'closed' });
      await beat(1);
      has(await fleet.report('a', report('t2')), { state: 'open', epoch: 2, epochId: "t2-1'" });
      has(await fleet.report('b', report('t3')), { state: 'closed' });
      await fleet.store.heartbeat('b');
      has(await fleet.report('a', report('t4')), { state: 'closed' });
    },
  ),

  storeCase(
    'alone: needs the minimum of calls and the rate, or enough in a row, or to be open',
    async (fleet) => {
      await fleet.store.heartbeat('a');
      await fleet.advance(10_001);
      await fleet.store.heartbeat('a');
      const windows = [seen(9, 9), seen(21, 10), seen(20, 10), row(19), row(20), seen(5, 0, { open: true })];
      const states = [];
      for (const [i, window] of windows.entries())
        states.push((await fleet.report('a', report(`t${i}`, window))).state);
      assert.deepEqual(states, ['closed', 'closed', 'open', 'closed', 'open', 'open']);
    },
  ),
];
