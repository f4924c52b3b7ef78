import assert from 'node:assert/strict';
import { has, storeCase } from './fleet-under-test.ts';
import { force, report } from './inputs.ts';

/** Who lives, and what they are told when they ask. */
export const membershipCases = [
  storeCase('heartbeat: counts who lives', async (fleet) => {
    const other = await fleet.makeStore();
    assert.equal((await fleet.store.heartbeat('a')).live, 1);
    assert.equal((await other.heartbeat('b')).live, 2);
    assert.equal((await fleet.store.heartbeat('a')).live, 2);
    await other.leave('b');
    await other.leave('never');
    assert.equal((await fleet.store.heartbeat('a')).live, 1);
  }),

  storeCase('heartbeat: who was silent for 15 s lives no more', async (fleet) => {
    await fleet.store.heartbeat('a');
    await fleet.advance(15_000);
    assert.equal((await fleet.store.heartbeat('b')).live, 2);
    await fleet.advance(1);
    assert.equal((await fleet.store.heartbeat('b')).live, 1);
  }),

  storeCase('heartbeat: tells what is open or forced, and no more', async (fleet) => {
    await fleet.report('a', report('closed', { calls: 5, failures: 1 }));
    const open = await fleet.trip('open');
    const { view: forced } = await fleet.store.force('a', force('forced', 'closed', 0, 'f'));
    const { view: both } = await fleet.store.force('a', force('open', 'open', 0, 'f'));
    const { unsettled } = await fleet.store.heartbeat('a');
    assert.deepEqual(
      [...unsettled].sort((a, b) => a.target.localeCompare(b.target)),
      [forced, both].map(({ target, epoch }) => ({ target, epoch })),
    );
    assert.equal(both.epoch, open.epoch + 1);
  }),

  storeCase('heartbeat: tells where the news end', async (fleet) => {
    await fleet.trip('t');
    const { cursor } = await fleet.store.heartbeat('a');
    assert.deepEqual(await fleet.newsSince(cursor), []);
    assert.equal(await fleet.cursor(), cursor);
    await fleet.trip('u');
    assert.notEqual((await fleet.store.heartbeat('a')).cursor, cursor);
  }),

  storeCase('snapshot: views of what is open or forced, and of those named, each once', async (fleet) => {
    await fleet.report('a', report('closed', { calls: 5, failures: 1 }));
    await fleet.report('a', report('other', { calls: 5, failures: 1 }));
    const open = await fleet.trip('open');
    await fleet.store.force('a', force('forced', 'closed', 0, 'f'));
    const { views } = await fleet.store.snapshot(['closed', 'open', 'none', 'none']);
    const names = views.map(({ target }) => target).sort();
    assert.deepEqual(names, ['closed', 'forced', 'none', 'open']);
    assert.deepEqual(
      views.find(({ target }) => target === 'open'),
      open,
    );
  }),

  storeCase('snapshot: what there is no record of has epoch 0', async (fleet) => {
    const { views } = await fleet.store.snapshot(['none']);
    assert.deepEqual(views, [
      {
        target: 'none',
        epoch: 0,
        epochId: '',
        state: 'closed',
        remainingMs: 0,
        openMs: 0,
        openings: 0,
        forced: null,
        forcedVersion: 0,
        forcedToken: '',
        reporters: 0,
      },
    ]);
  }),

  storeCase('snapshot: tells how long it is still open', async (fleet) => {
    const { remainingMs } = await fleet.trip('t');
    await fleet.advance(400);
    has(await fleet.view('t'), { remainingMs: remainingMs - 400 });
    await fleet.advance(1_000);
    has(await fleet.view('t'), { state: 'open', remainingMs: 0 });
  }),
];
