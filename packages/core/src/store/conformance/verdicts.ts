import assert from 'node:assert/strict';
import type { FleetView, Verdict } from '../store.ts';
import { type FleetUnderTest, has, storeCase } from './fleet-under-test.ts';
import { claim, force, openTerms, verdict } from './inputs.ts';

/** Claims so many probes and settles them in order. @returns the views after each verdict */
async function tryOut(
  fleet: FleetUnderTest,
  view: FleetView,
  probes: number,
  verdicts: readonly Verdict['verdict'][],
): Promise<FleetView[]> {
  const tokens = verdicts.map((_, i) => `${view.epochId}-${i}`);
  for (const token of tokens) await fleet.store.claim('a', claim(view, token, { probes }));
  const views = [];
  for (const [i, what] of verdicts.entries()) {
    const reply = await fleet.store.settle('a', verdict(view, tokens[i] as string, what));
    views.push(reply.view);
  }
  return views;
}

const statesOf = (views: readonly FleetView[]) => views.map(({ state, openings }) => `${state} ${openings}`);

/** What probes come to. */
export const verdictCases = [
  storeCase('settle: most of the probes close it', async (fleet) => {
    const view = await fleet.tripAndWait('t');
    const cursor = await fleet.cursor();
    const views = await tryOut(fleet, view, 3, ['ok', 'fail', 'ok']);
    assert.deepEqual(statesOf(views), ['open 1', 'open 1', 'closed 1']);
    const closed = views[2] as FleetView;
    has(closed, {
      epoch: view.epoch + 1,
      epochId: `${view.epochId}-2-settled`,
      openMs: 0,
      remainingMs: 0,
      reporters: 0,
    });
    assert.deepEqual(await fleet.newsSince(cursor), [{ kind: 'view', view: closed }]);
    const { unsettled } = await fleet.store.heartbeat('a');
    assert.deepEqual(unsettled, []);
  }),

  storeCase('settle: it opens again, for longer, as soon as most can not succeed any more', async (fleet) => {
    const view = await fleet.tripAndWait('t');
    const views = await tryOut(fleet, view, 3, ['fail', 'ok', 'fail']);
    assert.deepEqual(statesOf(views), ['open 1', 'open 1', 'open 2']);
    has(views[2] as FleetView, { epoch: view.epoch + 1, openMs: 1_800, remainingMs: 1_800 });
  }),

  storeCase('settle: half is not most', async (fleet) => {
    assert.deepEqual(statesOf(await tryOut(fleet, await fleet.tripAndWait('t'), 1, ['ok'])), ['closed 1']);
    assert.deepEqual(statesOf(await tryOut(fleet, await fleet.tripAndWait('u'), 1, ['fail'])), ['open 2']);
    assert.deepEqual(statesOf(await tryOut(fleet, await fleet.tripAndWait('v'), 2, ['ok', 'fail'])), [
      'open 1',
      'open 2',
    ]);
    assert.deepEqual(
      statesOf(await tryOut(fleet, await fleet.tripAndWait('w'), 4, ['fail', 'ok', 'ok', 'fail'])),
      ['open 1', 'open 1', 'open 1', 'open 2'],
    );
  }),

  storeCase('settle: the open time is as the one who settles says', async (fleet) => {
    const view = await fleet.tripAndWait('t');
    await fleet.store.claim('a', claim(view, 'p', { probes: 1 }));
    const told = verdict(view, 'p', 'fail', { openTerms: { ...openTerms, noticeMs: 7_000 } });
    has((await fleet.store.settle('a', told)).view, { openMs: 7_000, remainingMs: 7_000 });
  }),

  storeCase('settle: told again it is counted once', async (fleet) => {
    const view = await fleet.tripAndWait('t');
    for (const token of ['p1', 'p2', 'p3']) await fleet.store.claim('a', claim(view, token));
    for (let i = 0; i < 3; i++) {
      const { counted, view: after } = await fleet.store.settle('a', verdict(view, 'p1', 'ok'));
      assert.equal(counted, true);
      has(after, { state: 'open', epoch: view.epoch });
    }
  }),

  storeCase('settle: by another replica it is counted as well', async (fleet) => {
    const view = await fleet.tripAndWait('t');
    await fleet.store.claim('a', claim(view, 'p', { probes: 1 }));
    const { counted, view: after } = await fleet.store.settle('b', verdict(view, 'p', 'ok'));
    assert.deepEqual([counted, after.state], [true, 'closed']);
  }),

  storeCase('settle: not after the end of the lease', async (fleet) => {
    const view = await fleet.tripAndWait('t');
    await fleet.store.claim('a', claim(view, 'p', { probes: 1 }));
    await fleet.advance(250);
    for (let i = 0; i < 2; i++) {
      const { counted, view: after } = await fleet.store.settle('a', verdict(view, 'p', 'ok'));
      assert.equal(counted, false);
      has(after, { state: 'open', epoch: view.epoch });
    }
  }),

  storeCase('settle: up to the last moment of the lease', async (fleet) => {
    const view = await fleet.tripAndWait('t');
    await fleet.store.claim('a', claim(view, 'p', { probes: 1 }));
    await fleet.advance(249);
    assert.equal((await fleet.store.settle('a', verdict(view, 'p', 'ok'))).counted, true);
  }),

  storeCase('settle: not without a lease, nor from another epoch', async (fleet) => {
    const view = await fleet.tripAndWait('t');
    await fleet.store.claim('a', claim(view, 'p', { probes: 1 }));
    const wrong = [
      verdict(view, 'never', 'ok'),
      verdict({ ...view, epochId: 'gone' }, 'p', 'ok'),
      verdict({ ...view, target: 'unknown' }, 'p', 'ok'),
    ];
    for (const told of wrong) assert.equal((await fleet.store.settle('a', told)).counted, false);
    await fleet.store.settle('a', verdict(view, 'p', 'fail'));
    assert.equal((await fleet.store.settle('a', verdict(view, 'p', 'ok'))).counted, false);
    has(await fleet.view('t'), { state: 'open', epoch: view.epoch + 1 });
  }),

  storeCase('settle: nothing once a person has decided', async (fleet) => {
    const view = await fleet.tripAndWait('t');
    await fleet.store.claim('a', claim(view, 'p', { probes: 1 }));
    const { view: forced } = await fleet.store.force('a', force('t', 'open', 0, 'f'));
    for (const seen of [view, forced]) {
      assert.equal((await fleet.store.settle('a', verdict(seen, 'p', 'ok'))).counted, false);
    }
  }),

  storeCase('settle: a probe that was not sent is free again, in the same epoch', async (fleet) => {
    const view = await fleet.tripAndWait('t');
    const views = await tryOut(fleet, view, 3, ['ok', 'unused', 'unused', 'unused']);
    assert.deepEqual(statesOf(views), ['open 1', 'open 1', 'open 1', 'open 1']);
    has(views[3] as FleetView, { epoch: view.epoch, epochId: view.epochId });
    const again = await fleet.store.settle('a', verdict(view, `${view.epochId}-1`, 'unused'));
    assert.equal(again.counted, false);
    const leases = [];
    for (const token of ['p', 'q', 'r']) {
      leases.push((await fleet.store.claim('b', claim(view, token, { probes: 3 }))).leaseMs);
    }
    assert.deepEqual(leases, [250, 250, undefined]);
    const { view: last } = await fleet.store.settle('b', verdict(view, 'p', 'ok'));
    has(last, { state: 'closed', epoch: view.epoch + 1 });
  }),
];
