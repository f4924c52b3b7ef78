import assert from 'node:assert/strict';
import { has, storeCase } from './fleet-under-test.ts';
import { claim, force, report, verdict } from './inputs.ts';

/** What a person decides. */
export const forceCases = [
  storeCase('force: holds what no replica has told of, and is told to all', async (fleet) => {
    const cursor = await fleet.cursor();
    const { accepted, view } = await fleet.store.force('a', force('t', 'open', 0, 'f1'));
    assert.equal(accepted, true);
    has(view, { forced: 'open', forcedVersion: 1, forcedToken: 'f1', state: 'closed' });
    assert.deepEqual(await fleet.newsSince(cursor), [{ kind: 'view', view }]);
    const { unsettled } = await fleet.store.heartbeat('a');
    assert.deepEqual(unsettled, [{ target: 't', epoch: view.epoch }]);
  }),

  storeCase('force: counts on from what the person has seen, though the store has lost it', async (fleet) => {
    has((await fleet.store.force('a', force('t', 'closed', 7, 'f1'))).view, {
      forced: 'closed',
      forcedVersion: 8,
    });
  }),

  storeCase('force: another decision in between is a conflict', async (fleet) => {
    const { view } = await fleet.store.force('a', force('t', 'open', 0, 'f1'));
    for (const base of [0, 2]) {
      assert.deepEqual(await fleet.store.force('b', force('t', 'closed', base, 'f2')), {
        accepted: false,
        view,
      });
    }
    has((await fleet.store.force('b', force('t', 'closed', 1, 'f2'))).view, {
      forced: 'closed',
      forcedVersion: 2,
    });
  }),

  storeCase('force: told again it is no conflict, and decides nothing more', async (fleet) => {
    const first = await fleet.store.force('a', force('t', 'open', 0, 'f1'));
    const cursor = await fleet.cursor();
    assert.deepEqual(await fleet.store.force('a', force('t', 'open', 0, 'f1')), first);
    assert.deepEqual(await fleet.newsSince(cursor), []);
  }),

  storeCase('force: begins an epoch, whose open time stays and whose leases are gone', async (fleet) => {
    const open = await fleet.trip('t');
    await fleet.advance(open.remainingMs - 200);
    await fleet.store.claim('a', claim(open, 'p'));
    const { view } = await fleet.store.force('a', force('t', 'closed', 0, 'f1'));
    has(view, {
      epoch: open.epoch + 1,
      epochId: 'f1-forced',
      state: 'open',
      remainingMs: 200,
      forced: 'closed',
    });
    assert.equal((await fleet.store.claim('a', claim(view, 'q'))).leaseMs, undefined);
    assert.equal((await fleet.store.renew('a', claim(view, 'p'))).leaseMs, undefined);
    assert.equal((await fleet.store.settle('a', verdict(view, 'p', 'ok'))).counted, false);
  }),

  storeCase('force: what is held is not opened by reports, nor are they kept', async (fleet) => {
    await fleet.store.force('a', force('t', 'closed', 0, 'f1'));
    const cursor = await fleet.cursor();
    await fleet.reportAll(['a', 'b'], 't');
    await fleet.advance(200);
    has(await fleet.reportAll(['a', 'b'], 't'), { state: 'closed', reporters: 0 });
    assert.deepEqual(await fleet.newsSince(cursor), []);
  }),

  storeCase('force: what was held open and is lifted is tried at once', async (fleet) => {
    await fleet.report('a', report('t'));
    await fleet.store.force('a', force('t', 'open', 0, 'f1'));
    const { view } = await fleet.store.force('a', force('t', null, 1, 'f2'));
    has(view, { forced: null, forcedVersion: 2, forcedToken: 'f2', state: 'open', remainingMs: 0 });
    assert.equal((await fleet.store.claim('a', claim(view, 'p'))).leaseMs, 250);
  }),

  storeCase(
    'force: what was held closed and is lifted is closed, and nothing that was reported holds',
    async (fleet) => {
      await fleet.trip('t');
      await fleet.store.force('a', force('t', 'closed', 0, 'f1'));
      const { view } = await fleet.store.force('a', force('t', null, 1, 'f2'));
      has(view, { forced: null, state: 'closed', epochId: 'f2-forced', openMs: 0, remainingMs: 0 });
      await fleet.store.force('a', force('u', 'closed', 0, 'f1'));
      await fleet.reportAll(['a', 'b'], 'u');
      has((await fleet.store.force('a', force('u', null, 1, 'f2'))).view, { state: 'closed', reporters: 0 });
      assert.deepEqual((await fleet.store.heartbeat('a')).unsettled, []);
    },
  ),

  storeCase('force: lifting what is not held counts as a decision, and leaves the state', async (fleet) => {
    const open = await fleet.trip('t');
    const { accepted, view } = await fleet.store.force('a', force('t', null, 0, 'f1'));
    assert.equal(accepted, true);
    has(view, {
      epoch: open.epoch + 1,
      state: 'open',
      remainingMs: open.remainingMs,
      forced: null,
      forcedVersion: 1,
    });
  }),
];
