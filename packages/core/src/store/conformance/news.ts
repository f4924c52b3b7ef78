import assert from 'node:assert/strict';
import type { FleetEntry } from '../store.ts';
import { storeCase } from './fleet-under-test.ts';
import { force, report } from './inputs.ts';

const never = new AbortController().signal;
const WAIT_MS = 4_000;

const epochsOf = (entries: readonly FleetEntry[]) =>
  entries.map((entry) => (entry.kind === 'view' ? entry.view.epoch : 'ask'));

/** What replicas hear of each other. */
export const newsCases = [
  storeCase('read: all that has changed, in order, for every reader', async (fleet) => {
    const cursor = await fleet.cursor();
    const other = await fleet.makeStore();
    const opened = await fleet.trip('t');
    const { view: forced } = await other.force('b', force('t', 'closed', 0, 'f'));
    const told: FleetEntry[] = [
      { kind: 'ask', targets: ['t'] },
      { kind: 'view', view: opened },
      { kind: 'view', view: forced },
    ];
    for (const store of [fleet.store, other]) {
      const first = await store.read(cursor, 0, never);
      assert.deepEqual(first.entries, told);
      assert.deepEqual(await store.read(first.cursor, 0, never), { cursor: first.cursor, entries: [] });
    }
  }),

  storeCase('read: goes on where a snapshot was read, and misses nothing', async (fleet) => {
    await fleet.trip('t');
    const { cursor } = await fleet.store.snapshot([]);
    const { view } = await fleet.store.force('a', force('u', 'open', 0, 'f'));
    assert.deepEqual(await fleet.newsSince(cursor), [{ kind: 'view', view }]);
  }),

  storeCase('read: waits for news of another store', async (fleet) => {
    const other = await fleet.makeStore();
    const news = other.read(await fleet.cursor(), WAIT_MS, never);
    const { view } = await fleet.store.force('a', force('t', 'open', 0, 'f'));
    assert.deepEqual((await news).entries, [{ kind: 'view', view }]);
  }),

  storeCase('read: comes back without news when it has waited', async (fleet) => {
    const cursor = await fleet.cursor();
    const news = fleet.store.read(cursor, 50, never);
    await fleet.advance(50);
    assert.deepEqual(await news, { cursor, entries: [] });
  }),

  storeCase('read: rejects when the reader gives up', async (fleet) => {
    const cursor = await fleet.cursor();
    const reading = new AbortController();
    const news = fleet.store.read(cursor, WAIT_MS, reading.signal);
    const gaveUp = new Error('the reader gave up');
    reading.abort(gaveUp);
    await assert.rejects(news, gaveUp);
    await assert.rejects(fleet.store.read(cursor, WAIT_MS, reading.signal), gaveUp);
  }),

  storeCase('read: what one call has changed comes together', async (fleet) => {
    await fleet.reportAll(['a', 'b'], 't');
    await fleet.reportAll(['a', 'b'], 'u');
    await fleet.advance(200);
    const cursor = await fleet.cursor();
    const reports = [];
    for (const target of ['t', 'u']) {
      const { epoch, epochId } = await fleet.view(target);
      reports.push(report(target, { epoch, epochId, nextId: `${target}-2` }));
    }
    const other = await fleet.makeStore();
    const news = other.read(cursor, WAIT_MS, never);
    const views = await fleet.store.report('a', reports);
    assert.deepEqual(
      (await news).entries,
      views.map((view) => ({ kind: 'view', view })),
    );
  }),

  storeCase('read: from a cursor ahead of the news, waits', async (fleet) => {
    const cursor = await fleet.cursor();
    const ahead = `${Number(cursor.split('-')[0]) + 1e15}-0`;
    const news = fleet.store.read(ahead, 100, never);
    const { view } = await fleet.store.force('a', force('t', 'open', 0, 'f'));
    await fleet.advance(100);
    assert.deepEqual(await news, { cursor: ahead, entries: [] });
    assert.deepEqual(await fleet.newsSince(cursor), [{ kind: 'view', view }]);
  }),

  storeCase('read: who was away for long reads on, in order', async (fleet) => {
    const cursor = await fleet.cursor();
    const epochs = [];
    for (let i = 0; i < 450; i++) {
      const { view } = await fleet.store.force('a', force('t', i % 2 === 0 ? 'open' : 'closed', i, `f${i}`));
      epochs.push(view.epoch);
    }
    assert.deepEqual(epochsOf(await fleet.newsSince(cursor)), epochs);
  }),

  storeCase('read: rejects what is no cursor', async (fleet) => {
    for (const cursor of ['', '$', '1', 'x-y'])
      await assert.rejects(fleet.store.read(cursor, 0, never), cursor);
  }),

  storeCase('fleets: have nothing to do with each other', async (fleet) => {
    const stranger = await fleet.makeStore(`${fleet.service}-other`);
    const cursor = (await stranger.snapshot([])).cursor;
    const { epochId } = await fleet.trip('t');
    await fleet.store.heartbeat('a');
    assert.deepEqual((await stranger.read(cursor, 0, never)).entries, []);
    assert.deepEqual((await stranger.snapshot([])).views, []);
    assert.equal((await stranger.heartbeat('b')).live, 1);
    const [view] = await stranger.report('b', [report('t', { epochId })]);
    assert.deepEqual([view?.state, view?.epoch], ['closed', 1]);
  }),

  storeCase('close: a store that was closed does nothing more, and lets its readers go', async (fleet) => {
    const other = await fleet.makeStore();
    const news = other.read(await fleet.cursor(), WAIT_MS, never);
    const ended = assert.rejects(news);
    await other.close();
    await ended;
    await assert.rejects(other.heartbeat('b'));
    assert.equal((await fleet.store.heartbeat('a')).live, 1);
  }),
];
