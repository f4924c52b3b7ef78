import assert from 'node:assert/strict';
import type { Claim, FleetView } from '../store.ts';
import { type FleetUnderTest, has, storeCase } from './fleet-under-test.ts';
import { claim, force, report, verdict } from './inputs.ts';

/** Ms of the lease that a replica gets. */
async function lease(
  fleet: FleetUnderTest,
  replica: string,
  view: FleetView,
  token: string,
  more: Partial<Claim> = {},
): Promise<number | undefined> {
  return (await fleet.store.claim(replica, claim(view, token, more))).leaseMs;
}

async function renewed(
  fleet: FleetUnderTest,
  view: FleetView,
  token: string,
  more: Partial<Claim> = {},
): Promise<number | undefined> {
  return (await fleet.store.renew('a', claim(view, token, more))).leaseMs;
}

const one = { probes: 1 };
const long = { timeoutMs: 2_000 };

/** Who may send a probe, and for how long. */
export const probeCases = [
  storeCase('claim: no more probes than an epoch has, whoever asks', async (fleet) => {
    const view = await fleet.tripAndWait('t');
    const other = await fleet.makeStore();
    const leases = [];
    for (const [i, replica] of ['a', 'b', 'a', 'b', 'c'].entries()) {
      const store = replica === 'b' ? other : fleet.store;
      leases.push((await store.claim(replica, claim(view, `p${i}`))).leaseMs);
    }
    assert.deepEqual(leases, [250, 250, 250, undefined, undefined]);
  }),

  storeCase('claim: at the same moment too, no more than an epoch has', async (fleet) => {
    const view = await fleet.tripAndWait('t');
    const stores = [fleet.store, await fleet.makeStore(), await fleet.makeStore()];
    const claims = stores.flatMap((store, i) =>
      Array.from({ length: 10 }, (_, j) => store.claim(`r${i}`, claim(view, `${i}-${j}`))),
    );
    const granted = (await Promise.all(claims)).filter(({ leaseMs }) => leaseMs !== undefined);
    assert.equal(granted.length, 3);
  }),

  storeCase('claim: the first of an epoch says how many probes it has; one at least', async (fleet) => {
    const view = await fleet.tripAndWait('t');
    const leases = [];
    for (const [i, probes] of [2, 50, 50].entries())
      leases.push(await lease(fleet, 'a', view, `p${i}`, { probes }));
    assert.deepEqual(leases, [250, 250, undefined]);
    const none = await fleet.tripAndWait('u');
    assert.equal(await lease(fleet, 'a', none, 'p', { probes: 0 }), 250);
  }),

  storeCase('claim: the same token brings the same lease, and none once it is used', async (fleet) => {
    const view = await fleet.tripAndWait('t');
    assert.equal(await lease(fleet, 'a', view, 'p'), 250);
    await fleet.advance(100);
    assert.equal(await lease(fleet, 'a', view, 'p'), 150);
    await fleet.store.settle('a', verdict(view, 'p', 'ok'));
    assert.equal(await lease(fleet, 'a', view, 'p'), undefined);
    await lease(fleet, 'a', view, 'q');
    await fleet.advance(250);
    assert.equal(await lease(fleet, 'a', view, 'q'), undefined);
  }),

  storeCase('claim: from 300 ms before the target is due, and the lease lasts from then', async (fleet) => {
    const view = await fleet.trip('t');
    await fleet.advance(view.remainingMs - 301);
    assert.equal(await lease(fleet, 'a', view, 'p1'), undefined);
    await fleet.advance(1);
    assert.equal(await lease(fleet, 'a', view, 'p1'), 550);
  }),

  storeCase('claim: one a replica until 250 ms after due, and none for who defers', async (fleet) => {
    const view = await fleet.trip('t');
    await fleet.advance(view.remainingMs);
    assert.equal(await lease(fleet, 'a', view, 'p1', long), 4_050);
    await fleet.store.settle('a', verdict(view, 'p1', 'fail'));
    await fleet.advance(249);
    assert.equal(await lease(fleet, 'a', view, 'p2', long), undefined);
    assert.equal(await lease(fleet, 'b', view, 'p3', { ...long, defer: true }), undefined);
    assert.equal(await lease(fleet, 'c', view, 'p4', long), 4_050);
    await fleet.advance(1);
    assert.equal(await lease(fleet, 'b', view, 'p5', { ...long, defer: true }), 4_050);
  }),

  storeCase('claim: anyone takes a free probe afterwards', async (fleet) => {
    const view = await fleet.tripAndWait('t');
    const leases = [];
    for (const token of ['p1', 'p2', 'p3'])
      leases.push(await lease(fleet, 'a', view, token, { defer: true }));
    assert.deepEqual(leases, [250, 250, 250]);
  }),

  storeCase('claim: nothing for what is closed, forced, unknown, or of another epoch', async (fleet) => {
    const unknown = await fleet.view('unknown');
    const closed = await fleet.report('a', report('closed'));
    const open = await fleet.tripAndWait('open');
    const { view: forced } = await fleet.store.force('a', force('forced', 'open', 0, 'f'));
    for (const view of [unknown, closed, forced, { ...open, epochId: 'gone' }]) {
      const reply = await fleet.store.claim('a', claim(view, 'p'));
      assert.equal(reply.leaseMs, undefined, view.target);
      has(reply.view, { target: view.target, epoch: view.epoch });
    }
    has(await fleet.view('unknown'), { epoch: 0 });
  }),

  storeCase(
    'claim: once all probes are used and nothing is decided, another epoch, due at once',
    async (fleet) => {
      const view = await fleet.tripAndWait('t');
      for (const token of ['p1', 'p2', 'p3']) await lease(fleet, 'a', view, token);
      const cursor = await fleet.cursor();
      await fleet.advance(250);
      const { leaseMs, view: next } = await fleet.store.claim('a', claim(view, 'p4'));
      assert.equal(leaseMs, undefined);
      has(next, {
        epoch: view.epoch + 1,
        epochId: 'p4-next',
        state: 'open',
        remainingMs: 0,
        openMs: 1_000,
        openings: 1,
      });
      assert.deepEqual(await fleet.newsSince(cursor), [{ kind: 'view', view: next }]);
      await fleet.advance(250);
      assert.equal(await lease(fleet, 'a', next, 'p5'), 250);
    },
  ),

  storeCase('claim: a lease that ended counts as used', async (fleet) => {
    const view = await fleet.tripAndWait('t');
    await lease(fleet, 'a', view, 'p1', { probes: 2 });
    await fleet.advance(250);
    assert.equal(await lease(fleet, 'b', view, 'p2'), 250);
    assert.equal(await lease(fleet, 'b', view, 'p3'), undefined);
    has(await fleet.view('t'), { epoch: view.epoch });
  }),

  storeCase('claim: a slow probe has the whole of its time', async (fleet) => {
    const view = await fleet.tripAndWait('t');
    const slow = { probes: 1, timeoutMs: 3_600_000 };
    assert.equal(await lease(fleet, 'a', view, 'p', slow), 7_200_050);
    await fleet.advance(3_600_000);
    assert.equal(await lease(fleet, 'b', view, 'q'), undefined);
    const { counted, view: after } = await fleet.store.settle('a', verdict(view, 'p', 'ok'));
    assert.equal(counted, true);
    has(after, { state: 'closed' });
  }),

  storeCase('renew: a lease that is held, from now on', async (fleet) => {
    const view = await fleet.tripAndWait('t');
    await lease(fleet, 'a', view, 'p');
    await fleet.advance(200);
    assert.equal(await renewed(fleet, view, 'p'), 250);
    await fleet.advance(249);
    assert.equal((await fleet.store.settle('a', verdict(view, 'p', 'unused'))).counted, true);
  }),

  storeCase('renew: before it is due, from then on', async (fleet) => {
    const view = await fleet.trip('t');
    await fleet.advance(view.remainingMs - 200);
    await lease(fleet, 'a', view, 'p');
    await fleet.advance(100);
    assert.equal(await renewed(fleet, view, 'p'), 350);
  }),

  storeCase('renew: not for a second after somebody else has found none free', async (fleet) => {
    const view = await fleet.tripAndWait('t');
    const wish = { ...one, ...long };
    await lease(fleet, 'a', view, 'p', wish);
    await lease(fleet, 'b', view, 'q', wish);
    await fleet.advance(1_000);
    assert.equal(await renewed(fleet, view, 'p', wish), undefined);
    await fleet.advance(1);
    assert.equal(await renewed(fleet, view, 'p', wish), 4_050);
  }),

  storeCase('renew: what is wanted is so in the next epoch too', async (fleet) => {
    const view = await fleet.tripAndWait('t');
    await lease(fleet, 'a', view, 'p', one);
    await lease(fleet, 'b', view, 'q', one);
    await fleet.advance(250);
    const { view: next } = await fleet.store.claim('b', claim(view, 's', one));
    has(next, { epoch: view.epoch + 1, remainingMs: 0 });
    assert.equal(await lease(fleet, 'a', next, 'r', { ...one, ...long }), 4_050);
    assert.equal(await renewed(fleet, next, 'r'), undefined);
  }),

  storeCase(
    'renew: nothing that ended, was settled, was never granted, or is of another epoch',
    async (fleet) => {
      const view = await fleet.tripAndWait('t');
      await lease(fleet, 'a', view, 'ended');
      await fleet.advance(250);
      await lease(fleet, 'a', view, 'settled');
      await fleet.store.settle('a', verdict(view, 'settled', 'unused'));
      await lease(fleet, 'a', view, 'held');
      for (const token of ['ended', 'settled', 'never'])
        assert.equal(await renewed(fleet, view, token), undefined, token);
      assert.equal(await renewed(fleet, { ...view, epochId: 'gone' }, 'held'), undefined);
      assert.equal(await renewed(fleet, view, 'held'), 250);
    },
  ),
];
