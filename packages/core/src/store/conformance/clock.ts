import assert from 'node:assert/strict';
import { has, storeCase } from './fleet-under-test.ts';
import { claim, verdict } from './inputs.ts';

const HOUR = 3_600_000;

/** A clock that goes back, and another server that takes over. */
export const clockCases = [
  storeCase(
    'clock: nothing stays open for longer because it went back',
    async (fleet) => {
      const { openMs } = await fleet.trip('t');
      await fleet.turnBack(HOUR);
      assert.ok((await fleet.view('t')).remainingMs <= openMs);
      has(await fleet.reportAll(['a'], 't'), { state: 'open', remainingMs: openMs });
      await fleet.advance(openMs);
      has(await fleet.view('t'), { remainingMs: 0 });
    },
    'turnBack',
  ),

  storeCase(
    'clock: what fails still opens after it went back',
    async (fleet) => {
      await fleet.reportAll(['a', 'b'], 't');
      await fleet.turnBack(HOUR);
      has(await fleet.reportAll(['a'], 't'), { state: 'closed', reporters: 1 });
      await fleet.trip('t');
    },
    'turnBack',
  ),

  storeCase(
    'clock: openings are forgotten after a calm, though it went back',
    async (fleet) => {
      const view = await fleet.tripAndWait('t');
      await fleet.store.claim('a', claim(view, 'p', { probes: 1 }));
      await fleet.store.settle('a', verdict(view, 'p', 'ok'));
      await fleet.turnBack(HOUR);
      await fleet.reportAll(['a'], 't', { calls: 5, failures: 1 });
      await fleet.advance(10_001);
      has(await fleet.trip('t'), { openings: 1 });
    },
    'turnBack',
  ),

  storeCase(
    'clock: a lease lasts no longer because it went back',
    async (fleet) => {
      const view = await fleet.tripAndWait('t');
      await fleet.store.claim('a', claim(view, 'p', { probes: 1 }));
      await fleet.turnBack(HOUR);
      const { remainingMs } = await fleet.reportAll(['a'], 't');
      await fleet.advance(remainingMs + 250);
      const { counted } = await fleet.store.settle('a', verdict(view, 'p', 'ok'));
      assert.equal(counted, false);
      has((await fleet.store.claim('b', claim(view, 'q', { probes: 1 }))).view, { epoch: view.epoch + 1 });
    },
    'turnBack',
  ),

  storeCase(
    'clock: who has told of a time that is yet to come lives no more',
    async (fleet) => {
      await fleet.store.heartbeat('a');
      await fleet.turnBack(HOUR);
      assert.equal((await fleet.store.heartbeat('b')).live, 1);
      await fleet.advance(10_000);
      await fleet.store.heartbeat('b');
      has(await fleet.reportAll(['b'], 't'), { state: 'closed' });
      await fleet.advance(1);
      has(await fleet.reportAll(['b'], 't'), { state: 'open' });
    },
    'turnBack',
  ),

  storeCase(
    'clock: news are in order though it went back',
    async (fleet) => {
      const cursor = await fleet.cursor();
      await fleet.trip('t');
      await fleet.turnBack(HOUR);
      await fleet.trip('u');
      const entries = await fleet.newsSince(cursor);
      assert.deepEqual(
        entries.flatMap((entry) => (entry.kind === 'view' ? entry.view.target : [])),
        ['t', 'u'],
      );
    },
    'turnBack',
  ),

  storeCase(
    'failover: what is open begins another epoch, without leases, for as long as before',
    async (fleet) => {
      const open = await fleet.trip('t');
      await fleet.advance(open.remainingMs - 100);
      await fleet.store.claim('a', claim(open, 'p', { probes: 1 }));
      const cursor = await fleet.cursor();
      const next = await fleet.failOver();
      const { counted, view } = await next.settle('a', verdict(open, 'p', 'ok', { nextId: 'next' }));
      assert.equal(counted, false);
      has(view, {
        epoch: open.epoch + 1,
        epochId: 'next',
        state: 'open',
        remainingMs: 100,
        openMs: open.openMs,
      });
      assert.deepEqual(await fleet.newsSince(cursor, next), [{ kind: 'view', view }]);
      assert.equal((await next.claim('a', claim(view, 'q', { probes: 1 }))).leaseMs, 350);
    },
    'failOver',
  ),

  storeCase(
    'failover: what is closed goes on',
    async (fleet) => {
      const closed = await fleet.reportAll(['a'], 't');
      const next = await fleet.failOver();
      assert.deepEqual((await next.snapshot(['t'])).views, [closed]);
      const { view } = await next.claim('a', claim(closed, 'p'));
      assert.deepEqual(view, closed);
    },
    'failOver',
  ),
];
