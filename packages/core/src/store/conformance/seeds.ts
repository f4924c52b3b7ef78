import assert from 'node:assert/strict';
import type { FleetView, Seed } from '../store.ts';
import { type FleetUnderTest, has, storeCase } from './fleet-under-test.ts';
import { claim, force, report, seed, verdict } from './inputs.ts';

async function seeded(fleet: FleetUnderTest, one: Seed): Promise<FleetView> {
  const [view] = await fleet.store.seed('a', [one]);
  return view as FleetView;
}

/** How a store that has lost writes comes to know again. */
export const seedCases = [
  storeCase('seed: what is not there is made as the replica believes, under another id', async (fleet) => {
    const cursor = await fleet.cursor();
    const view = await seeded(fleet, seed({ target: 't', reporters: 9 }, 's1'));
    has(view, {
      epoch: 5,
      epochId: 's1',
      state: 'open',
      remainingMs: 800,
      openMs: 1_000,
      openings: 2,
      reporters: 0,
    });
    assert.deepEqual(await fleet.newsSince(cursor), [{ kind: 'view', view }]);
    const { unsettled } = await fleet.store.heartbeat('a');
    assert.deepEqual(unsettled, [{ target: 't', epoch: 5 }]);
  }),

  storeCase('seed: a closed one is made too', async (fleet) => {
    const view = await seeded(fleet, seed({ target: 't', state: 'closed', openings: 3 }, 's1'));
    has(view, { epoch: 5, epochId: 's1', state: 'closed', remainingMs: 0, openMs: 0, openings: 3 });
  }),

  storeCase('seed: several at once, one view each', async (fleet) => {
    const views = await fleet.store.seed('a', [
      seed({ target: 't2' }),
      seed({ target: 't1', state: 'closed' }),
    ]);
    assert.deepEqual(
      views.map(({ target, state }) => [target, state]),
      [
        ['t2', 'open'],
        ['t1', 'closed'],
      ],
    );
  }),

  storeCase('seed: stays open no longer than the longest open time', async (fleet) => {
    has(await seeded(fleet, seed({ target: 't', remainingMs: 9_000, openMs: 9_000 })), {
      remainingMs: 2_000,
    });
    has(await seeded(fleet, seed({ target: 'u', remainingMs: 1_500, openMs: 1_000 })), {
      remainingMs: 1_500,
      openMs: 1_500,
    });
  }),

  storeCase('seed: a higher epoch is taken up, and opens what is closed', async (fleet) => {
    await fleet.report('a', report('t', { epoch: 3 }));
    const view = await seeded(fleet, seed({ target: 't', epoch: 9 }, 's1'));
    has(view, { epoch: 9, epochId: 's1', state: 'open', remainingMs: 800, reporters: 0 });
  }),

  storeCase('seed: a closed view closes nothing', async (fleet) => {
    const open = await fleet.trip('t');
    await fleet.advance(100);
    const view = await seeded(fleet, seed({ target: 't', epoch: 9, state: 'closed' }, 's1'));
    has(view, {
      epoch: 9,
      epochId: 's1',
      state: 'open',
      remainingMs: open.remainingMs - 100,
      openMs: open.openMs,
    });
  }),

  storeCase('seed: one that is raised has no lease any more', async (fleet) => {
    const open = await fleet.tripAndWait('t');
    await fleet.store.claim('a', claim(open, 'p', { probes: 1 }));
    const view = await seeded(fleet, seed({ target: 't', epoch: 9, remainingMs: 0 }, 's1'));
    assert.equal((await fleet.store.settle('a', verdict(view, 'p', 'ok'))).counted, false);
    await fleet.advance(250);
    assert.equal((await fleet.store.claim('a', claim(view, 'q', { probes: 1 }))).leaseMs, 250);
  }),

  storeCase('seed: a lower epoch, or the same under the same id, changes nothing', async (fleet) => {
    const cursor = await fleet.cursor();
    await fleet.report('a', report('t', { epoch: 5, calls: 5, failures: 1 }));
    const before = await fleet.view('t');
    assert.deepEqual(await seeded(fleet, seed({ target: 't', epoch: 4 })), before);
    assert.deepEqual(await seeded(fleet, seed({ target: 't', epochId: 't-1' })), before);
    assert.deepEqual(await fleet.newsSince(cursor), []);
  }),

  storeCase(
    'seed: of one epoch, open wins over what a replica made that had not heard of it',
    async (fleet) => {
      await fleet.reportAll(['late', 'later'], 't', { epoch: 5 });
      const view = await seeded(fleet, seed({ target: 't' }, 's1'));
      has(view, { epoch: 5, epochId: 's1', state: 'open', remainingMs: 800, openings: 2, reporters: 0 });
      const again = await seeded(fleet, seed({ target: 't', remainingMs: 2_000 }, 's2'));
      assert.deepEqual(again, view);
    },
  ),

  storeCase('seed: but not once it is due, nor over what was closed by probes', async (fleet) => {
    await fleet.report('late', report('t', { epoch: 5, calls: 5, failures: 1 }));
    has(await seeded(fleet, seed({ target: 't', remainingMs: 0 })), { state: 'closed', epochId: 't-1' });
    const open = await fleet.tripAndWait('u');
    await fleet.store.claim('a', claim(open, 'p', { probes: 1 }));
    const { view: closed } = await fleet.store.settle('a', verdict(open, 'p', 'ok'));
    const { epoch } = closed;
    has(await seeded(fleet, seed({ target: 'u', epoch })), { state: 'closed', epochId: closed.epochId });
  }),

  storeCase('seed: what it opens begins without a suspicion', async (fleet) => {
    await fleet.reportAll(['late', 'later'], 't', { epoch: 5 });
    const { epochId } = await seeded(fleet, seed({ target: 't' }, 's1'));
    await fleet.advance(1_100);
    await fleet.store.claim('a', claim({ ...(await fleet.view('t')), epochId }, 'p', { probes: 1 }));
    await fleet.store.settle('a', verdict({ ...(await fleet.view('t')), epochId }, 'p', 'ok'));
    const cursor = await fleet.cursor();
    has(await fleet.reportAll(['a', 'b'], 't'), { state: 'closed' });
    assert.deepEqual(await fleet.newsSince(cursor), [{ kind: 'ask', targets: ['t'] }]);
  }),

  storeCase("seed: a person's decision that was lost comes back", async (fleet) => {
    const told = { forced: 'open', forcedVersion: 3, forcedToken: 'f' } as const;
    const view = await seeded(fleet, seed({ target: 't', state: 'closed', ...told }));
    has(view, { state: 'closed', ...told });
    await fleet.report('a', report('u', { epoch: 5, calls: 5, failures: 1 }));
    has(await seeded(fleet, seed({ target: 'u', state: 'closed', epochId: 't-1', ...told })), told);
    const { unsettled } = await fleet.store.heartbeat('a');
    assert.deepEqual(unsettled.map(({ target }) => target).sort(), ['t', 'u']);
  }),

  storeCase("seed: an older decision than the store's does not", async (fleet) => {
    await fleet.store.force('a', force('t', 'open', 0, 'f1'));
    const { view: lifted } = await fleet.store.force('a', force('t', null, 1, 'f2'));
    const told = { forced: 'open', forcedVersion: 1, forcedToken: 'f1' } as const;
    const view = await seeded(fleet, seed({ target: 't', epoch: lifted.epoch, ...told }));
    has(view, { forced: null, forcedVersion: 2, forcedToken: 'f2' });
  }),
];
