import assert from 'node:assert/strict';
import { has, storeCase } from './fleet-under-test.ts';
import { report, tripTerms } from './inputs.ts';

const few = { calls: 20, failures: 1 };

/** What reports do to a record, short of opening it. */
export const evidenceCases = [
  storeCase('report: creates a record with the epoch of the reporter, and tells nobody', async (fleet) => {
    const cursor = await fleet.cursor();
    const view = await fleet.report('a', report('t', { ...few, epoch: 7, epochId: 'lost' }));
    has(view, { target: 't', epoch: 7, epochId: 't-1', state: 'closed', reporters: 1, openings: 0 });
    assert.deepEqual(await fleet.newsSince(cursor), []);
  }),

  storeCase('report: the first epoch is 1', async (fleet) => {
    has(await fleet.report('a', report('t', few)), {
      epoch: 1,
      epochId: 't-1',
      forced: null,
      forcedVersion: 0,
    });
  }),

  storeCase('report: several targets, one view each in their order', async (fleet) => {
    const names = ['t3', 't1', 't2'];
    const views = await fleet.store.report(
      'a',
      names.map((name) => report(name, few)),
    );
    assert.deepEqual(
      views.map(({ target, epochId }) => [target, epochId]),
      names.map((name) => [name, `${name}-1`]),
    );
  }),

  storeCase('report: takes the place of the one before', async (fleet) => {
    const four = { calls: 4, failures: 4 };
    for (let i = 0; i < 5; i++) {
      has(await fleet.reportAll(['a', 'b'], 't', four), { state: 'closed', reporters: 2 });
      await fleet.advance(100);
    }
  }),

  storeCase('report: counts only under the id of the record', async (fleet) => {
    const { epoch } = await fleet.report('a', report('t'));
    await fleet.advance(200);
    has(await fleet.report('b', report('t', { epoch, epochId: 'gone' })), { state: 'closed', reporters: 1 });
    has(await fleet.report('b', report('t')), { state: 'closed', reporters: 1 });
  }),

  storeCase('report: an open record takes none, and begins its next epoch without', async (fleet) => {
    const view = await fleet.trip('t');
    has(view, { reporters: 0 });
    assert.deepEqual(await fleet.reportAll(['a', 'b', 'c'], 't'), view);
  }),

  storeCase('report: one that is not told again counts for two seconds, whatever it says', async (fleet) => {
    const windows = {
      rate: { calls: 20, failures: 20, streak: 0 },
      row: { calls: 500, failures: 20, streak: 20 },
      open: { calls: 500, failures: 0, streak: 0, open: true },
    };
    for (const [name, window] of Object.entries(windows)) {
      for (const [age, state] of [
        [2_000, 'open'],
        [2_001, 'closed'],
      ] as const) {
        const target = `${name} ${age}`;
        await fleet.reportAll(['a'], target, window);
        await fleet.advance(age);
        has(await fleet.reportAll(['b'], target, window), { state });
      }
    }
    await fleet.reportAll(['a'], 'well', { calls: 1_000, failures: 0, streak: 0 });
    await fleet.advance(1_800);
    await fleet.reportAll(['b', 'c'], 'well');
    await fleet.advance(200);
    has(await fleet.reportAll(['b', 'c'], 'well'), { state: 'closed', reporters: 3 });
    await fleet.advance(1);
    has(await fleet.reportAll(['b', 'c'], 'well'), { state: 'open' });
  }),

  storeCase('report: under other terms it is not added up', async (fleet) => {
    await fleet.reportAll(['a'], 't');
    await fleet.advance(200);
    const terms = { ...tripTerms, hash: 'h2' };
    has(await fleet.reportAll(['b'], 't', { terms }), { state: 'closed', reporters: 2 });
    has(await fleet.reportAll(['c'], 't', { terms }), { state: 'open' });
  }),

  storeCase('report: so does one under other terms', async (fleet) => {
    const other = { terms: { ...tripTerms, hash: 'h2' } };
    await fleet.reportAll(['a'], 't', few);
    await fleet.advance(2_000);
    has(await fleet.reportAll(['b'], 't', { ...few, ...other }), { reporters: 2 });
    await fleet.advance(1);
    has(await fleet.reportAll(['b'], 't', { ...few, ...other }), { reporters: 1 });
  }),

  storeCase('ask: half of the failures that it takes are reason to ask all', async (fleet) => {
    const cursor = await fleet.cursor();
    await fleet.reportAll(['a'], 't', { calls: 50, failures: 2 });
    assert.deepEqual(await fleet.newsSince(cursor), []);
    await fleet.reportAll(['b'], 't', { calls: 50, failures: 1 });
    assert.deepEqual(await fleet.newsSince(cursor), [{ kind: 'ask', targets: ['t'] }]);
  }),

  storeCase('ask: half is enough', async (fleet) => {
    const cursor = await fleet.cursor();
    const terms = { ...tripTerms, minimumCalls: 8 };
    await fleet.reportAll(['a'], 't', { calls: 50, failures: 2, terms });
    assert.deepEqual(await fleet.newsSince(cursor), [{ kind: 'ask', targets: ['t'] }]);
  }),

  storeCase('ask: so is half of what it takes in a row, and a replica that is open', async (fleet) => {
    const cursor = await fleet.cursor();
    await fleet.reportAll(['a'], 'row', { calls: 500, failures: 2, streak: 9 });
    await fleet.reportAll(['a'], 'row', { calls: 500, failures: 2, streak: 10 });
    await fleet.reportAll(['a'], 'own', { calls: 500, failures: 0, open: true });
    const asks = ['row', 'own'].map((target) => ({ kind: 'ask', targets: [target] }));
    assert.deepEqual(await fleet.newsSince(cursor), asks);
  }),

  storeCase('ask: once in 500 ms', async (fleet) => {
    const cursor = await fleet.cursor();
    for (const ms of [0, 499, 1, 499, 1]) {
      await fleet.advance(ms);
      await fleet.reportAll(['a'], 't');
    }
    const ask = { kind: 'ask', targets: ['t'] };
    assert.deepEqual(await fleet.newsSince(cursor), [ask, ask, ask]);
  }),

  storeCase('ask: those of one call come as one', async (fleet) => {
    const cursor = await fleet.cursor();
    await fleet.store.report('a', [report('t1'), report('t2')]);
    assert.deepEqual(await fleet.newsSince(cursor), [{ kind: 'ask', targets: ['t1', 't2'] }]);
  }),
];
