import assert from 'node:assert/strict';
import { checkHeartbeat, checkViews } from '../replies.ts';
import type { FleetView } from '../store.ts';
import { has, storeCase } from './fleet-under-test.ts';
import { claim, force, openTerms, report, seed, tripTerms, verdict } from './inputs.ts';

const NO_NUMBERS = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, 1e300];
const few = { calls: 20, failures: 1 };
const NAMES = [
  '__proto__',
  'constructor',
  '{t}:x',
  'a b\tc',
  '"\'\\',
  'nul\u0000',
  'line\nend',
  'é✓𝒳',
  '*?[a]',
];

const checkView = (view: FleetView) => checkViews(1)([view]);

/** What nobody should bring, and the clock that nobody should turn. */
export const hostileCases = [
  storeCase('hostile: what is no number counts as 0', async (fleet) => {
    for (const [i, no] of NO_NUMBERS.entries()) {
      const target = `t${i}`;
      const told = { epoch: no, calls: no, failures: no, streak: no };
      const terms = { ...tripTerms, windowMs: 10_000, quorum: no };
      has(await fleet.report('a', report(target, { ...told, terms })), {
        state: 'closed',
        epoch: 1,
        reporters: 1,
      });
      await fleet.advance(200);
      checkView(await fleet.reportAll(['b'], target, { calls: no, failures: no }));
      const open = { openMs: no, maxOpenMs: no, noticeMs: no, chance: no };
      const view = await fleet.trip(target, { openTerms: open });
      has(view, { openMs: 0, remainingMs: 0 });
      const wish = { probes: no, timeoutMs: no, marginMs: no };
      await fleet.advance(250);
      assert.equal((await fleet.store.claim('a', claim(view, 'p', wish))).leaseMs, 0);
    }
  }),

  storeCase('hostile: of what is no whole number, the whole counts', async (fleet) => {
    has(await fleet.report('a', report('t', { epoch: 3.9, calls: 20.9, failures: 1.9 })), { epoch: 3 });
    const view = await fleet.trip('u', { openTerms: { ...openTerms, openMs: 1_000.7 } });
    has(view, { openMs: 1_000, remainingMs: 1_000 });
    await fleet.advance(view.remainingMs + 250);
    const wish = claim(view, 'p', { timeoutMs: 100.9, marginMs: 50.9, probes: 1.9 });
    assert.equal((await fleet.store.claim('a', wish)).leaseMs, 250);
    assert.equal((await fleet.store.claim('a', { ...wish, token: 'q' })).leaseMs, undefined);
  }),

  storeCase('hostile: a seed of nonsense is a closed one of epoch 1', async (fleet) => {
    for (const [i, no] of NO_NUMBERS.entries()) {
      const told = { epoch: no, remainingMs: no, openMs: no, openings: no, forcedVersion: no };
      const [view] = await fleet.store.seed('a', [
        seed({ target: `t${i}`, ...told, state: 'half' as 'open', forced: 'shut' as 'open' }),
      ]);
      has(view as FleetView, {
        epoch: 1,
        state: 'closed',
        forced: null,
        forcedVersion: 0,
        openings: 0,
        remainingMs: 0,
      });
    }
  }),

  storeCase('hostile: a record that no reply may tell of is made anew', async (fleet) => {
    const spoilt = [
      seed({ target: 'epoch', epoch: 2 ** 40 }),
      seed({ target: 'id' }, 'i'.repeat(65)),
      seed({ target: 'version', forced: 'closed', forcedVersion: 2 ** 40 }),
      seed({ target: 'token', forced: 'closed', forcedVersion: 1, forcedToken: 't'.repeat(65) }),
      seed({ target: 'open', openMs: 86_400_001 }),
    ];
    for (const one of spoilt) {
      await fleet.store.seed('a', [one]).catch(() => undefined);
      const { target } = one.view;
      has(await fleet.view(target), { epoch: 0, epochId: '' });
      const view = await fleet.report('a', report(target, few));
      has(view, { epoch: 1, epochId: `${target}-1`, state: 'closed', forced: null, forcedVersion: 0 });
    }
    await fleet.store.seed('a', spoilt).catch(() => undefined);
    checkHeartbeat(await fleet.store.heartbeat('a'));
  }),

  storeCase('hostile: openings are bounded', async (fleet) => {
    const [view] = await fleet.store.seed('a', [seed({ target: 't', openings: 5_000 })]);
    has(view as FleetView, { openings: 30 });
    await fleet.advance(1_100);
    await fleet.store.claim('a', claim(view as FleetView, 'p', { probes: 1 }));
    has((await fleet.store.settle('a', verdict(view as FleetView, 'p', 'fail'))).view, {
      openings: 30,
      openMs: 1_800,
    });
  }),

  storeCase('hostile: any text is a name of a target, a replica, a token and an id', async (fleet) => {
    for (const name of NAMES) {
      const id = { nextId: name };
      await fleet.reportAll([name, `${name}2`], name, id);
      await fleet.advance(200);
      const view = await fleet.reportAll([name], name, id);
      has(view, { target: name, state: 'open', epochId: name });
      await fleet.advance(view.remainingMs + 250);
      assert.equal((await fleet.store.claim(name, claim(view, name))).leaseMs, 250);
      assert.equal((await fleet.store.claim(name, claim(view, name))).leaseMs, 250);
      assert.equal((await fleet.store.settle(name, verdict(view, name, 'unused'))).counted, true);
      has((await fleet.store.force(name, force(name, 'closed', 0, name))).view, {
        forced: 'closed',
        forcedToken: name,
      });
      await fleet.store.heartbeat(name);
    }
    const { live, unsettled } = await fleet.store.heartbeat('a');
    assert.equal(live, NAMES.length + 1);
    assert.deepEqual(unsettled.map(({ target }) => target).sort(), [...NAMES].sort());
  }),

  storeCase('hostile: failures without calls, or more than calls, open nothing alone', async (fleet) => {
    for (const [i, calls] of [0, 1].entries()) {
      await fleet.reportAll(['a'], `t${i}`, { calls, failures: 50, streak: 50 });
      await fleet.advance(200);
      const view = await fleet.reportAll(['b', 'a'], `t${i}`, { calls: 0, failures: 0 });
      checkView(view);
      has(view, { state: 'closed' });
    }
  }),

  storeCase('hostile: a decision that is none is taken for lifting', async (fleet) => {
    const { view } = await fleet.store.force('a', force('t', 'ajar' as 'open', 0, 'f'));
    has(view, { forced: null, forcedVersion: 1 });
  }),
];
