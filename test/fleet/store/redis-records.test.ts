import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisStore } from '../../../packages/core/src/store/redis/redis-store.ts';
import type { FleetView } from '../../../packages/core/src/store/store.ts';
import { RedisServer } from '../harness/redis-server.ts';
import { claim, report, seed, verdict } from './fixtures.ts';

let server: RedisServer;
let store: RedisStore;
let now = 1_750_000_000_000;
let targets = 0;

/** Redis with the test's own time. */
const prelude = () => `
  local server = redis
  local redis = { pcall = server.pcall, call = function(name, ...)
    if name == 'TIME' then return { '${Math.floor(now / 1_000)}', '${(now % 1_000) * 1_000}' } end
    return server.call(name, ...)
  end }
`;
const newTarget = () => `upstream:${++targets}`;

beforeAll(async () => {
  server = await RedisServer.start();
  store = new RedisStore(server.client(), {}, { prelude });
  store.open('operations');
});

afterAll(async () => {
  await store.close();
  await server.stop();
});

async function trip(target: string): Promise<FleetView> {
  const [created] = await store.report('a', [report(target)]);
  const next = { epoch: created!.epoch, epochId: created!.epochId, nextId: `${target}-2` };
  await store.report('b', [report(target, next)]);
  now += 200;
  await store.report('a', [report(target, next)]);
  const [view] = await store.report('b', [report(target, next)]);
  return view!;
}

async function tripAndWait(target: string): Promise<FleetView> {
  const view = await trip(target);
  now += view.remainingMs + 300;
  return view;
}

describe('report', () => {
  it('creates a record, asks all who use the target, and opens it when two have trouble', async () => {
    const target = newTarget();
    const { cursor } = await store.snapshot([]);
    const [created] = await store.report('a', [report(target, { epoch: 7 })]);
    expect(created).toMatchObject({
      target,
      epoch: 7,
      epochId: `${target}-1`,
      state: 'closed',
      reporters: 1,
    });
    const next = { epoch: 7, epochId: `${target}-1`, nextId: `${target}-2` };
    now += 200;
    const [opened] = await store.report('b', [report(target, next)]);
    expect(opened).toMatchObject({ epoch: 8, epochId: `${target}-2`, state: 'open', openings: 1 });
    expect(opened).toMatchObject({ remainingMs: 1_000, openMs: 1_000, reporters: 0 });
    const { entries } = await store.read(cursor, 0, AbortSignal.timeout(1_000));
    expect(entries).toEqual([
      { kind: 'ask', targets: [target] },
      { kind: 'view', view: opened },
    ]);
  });

  it('takes several targets at once, one view each', async () => {
    const names = [newTarget(), newTarget()];
    const views = await store.report(
      'a',
      names.map((name) => report(name, { failures: 1 })),
    );
    expect(views.map(({ target }) => target)).toEqual(names);
  });

  it('does not open on the word of one, nor of an earlier epoch, nor under other terms', async () => {
    const target = newTarget();
    const [{ epoch, epochId }] = (await store.report('a', [report(target)])) as [FleetView];
    now += 200;
    const again = { epoch, epochId };
    const one = await store.report('a', [report(target, again)]);
    const old = await store.report('b', [report(target, { epochId: 'gone' })]);
    const terms = { ...report(target).terms, hash: 'h2' };
    const other = await store.report('c', [report(target, { ...again, terms })]);
    expect([one, old, other].map(([view]) => [view!.state, view!.reporters])).toEqual([
      ['closed', 1],
      ['closed', 1],
      ['closed', 2],
    ]);
  });

  it('cuts the worst reporter to the second worst', async () => {
    const target = newTarget();
    const [{ epoch, epochId }] = (await store.report('a', [
      report(target, { calls: 900, failures: 900 }),
    ])) as [FleetView];
    now += 200;
    const [view] = await store.report('b', [report(target, { epoch, epochId, calls: 30, failures: 2 })]);
    expect(view!.state).toBe('closed');
  });

  it('adds up what fails in a row, though the windows are full of successes', async () => {
    const target = newTarget();
    const row = (next: object) => report(target, { calls: 500, failures: 4, streak: 4, ...next });
    const [{ epoch, epochId }] = (await store.report('a', [row({})])) as [FleetView];
    const replicas = ['b', 'c', 'd', 'e'];
    const states = [];
    now += 200;
    for (const replica of replicas) {
      const [view] = await store.report(replica, [row({ epoch, epochId })]);
      states.push(view!.state);
      now += 200;
    }
    expect(states).toEqual(['closed', 'closed', 'closed', 'open']);
  });

  it('does not open on what fails in a row for one', async () => {
    const target = newTarget();
    const row = (next: object) => report(target, { calls: 500, failures: 50, ...next });
    const [{ epoch, epochId }] = (await store.report('a', [row({ streak: 50 })])) as [FleetView];
    now += 200;
    for (const replica of ['b', 'c', 'a']) {
      const streak = replica === 'a' ? 50 : 3;
      const [view] = await store.report(replica, [row({ epoch, epochId, streak })]);
      expect(view!.state).toBe('closed');
    }
  });
});

describe('claim, renew and settle', () => {
  it('grants as many probes as an epoch has, and closes when most succeed', async () => {
    const view = await tripAndWait(newTarget());
    const leases = [];
    for (const token of ['p1', 'p2', 'p3', 'p4'])
      leases.push((await store.claim('a', claim(view, token))).leaseMs);
    expect(leases).toEqual([250, 250, 250, undefined]);
    expect(await store.settle('a', verdict(view, 'p1', 'ok'))).toMatchObject({
      counted: true,
      view: { state: 'open' },
    });
    expect(await store.settle('a', verdict(view, 'p1', 'ok'))).toMatchObject({
      counted: true,
      view: { state: 'open' },
    });
    const last = await store.settle('b', verdict(view, 'p2', 'ok'));
    expect(last).toMatchObject({ counted: true, view: { state: 'closed', epochId: 'p2-settled' } });
    expect((await store.settle('a', verdict(view, 'p3', 'fail'))).counted).toBe(false);
  });

  it('opens again, for longer, when most fail', async () => {
    const view = await tripAndWait(newTarget());
    for (const token of ['p1', 'p2']) await store.claim('a', claim(view, token));
    await store.settle('a', verdict(view, 'p1', 'fail'));
    const { view: after } = await store.settle('a', verdict(view, 'p2', 'fail'));
    expect(after).toMatchObject({ state: 'open', openings: 2, openMs: 1_800, remainingMs: 1_800 });
  });

  it('brings the same lease for the same token, and none for a token that was used', async () => {
    const view = await tripAndWait(newTarget());
    await store.claim('a', claim(view, 'p1'));
    now += 100;
    expect((await store.claim('a', claim(view, 'p1'))).leaseMs).toBe(150);
    await store.settle('a', verdict(view, 'p1', 'unused'));
    expect((await store.claim('a', claim(view, 'p1'))).leaseMs).toBeUndefined();
  });

  it('gives a lease that was not used to another one, in the same epoch', async () => {
    const view = await tripAndWait(newTarget());
    for (const token of ['p1', 'p2', 'p3']) await store.claim('a', claim(view, token));
    expect((await store.claim('b', claim(view, 'p4'))).leaseMs).toBeUndefined();
    const settled = await store.settle('a', verdict(view, 'p1', 'unused'));
    expect(settled).toMatchObject({ counted: true, view: { epochId: view.epochId, state: 'open' } });
    const leases = [];
    for (const token of ['p5', 'p6']) leases.push((await store.claim('b', claim(view, token))).leaseMs);
    expect(leases).toEqual([250, undefined]);
  });

  it('begins another epoch, due at once, when all probes are used and nothing is decided', async () => {
    const view = await tripAndWait(newTarget());
    for (const token of ['p1', 'p2', 'p3']) await store.claim('a', claim(view, token));
    now += 251;
    expect((await store.settle('a', verdict(view, 'p1', 'ok'))).counted).toBe(false);
    const { leaseMs, view: next } = await store.claim('a', claim(view, 'p4'));
    expect(leaseMs).toBeUndefined();
    expect(next).toMatchObject({ epoch: view.epoch + 1, epochId: 'p4-next', state: 'open', remainingMs: 0 });
  });

  it('refuses before it is due, one more to the same replica at first, and who defers', async () => {
    const view = await trip(newTarget());
    const lease = async (replica: string, token: string, defer = false) =>
      (await store.claim(replica, claim(view, token, { defer }))).leaseMs;
    expect(await lease('a', 'early')).toBeUndefined();
    now += view.remainingMs - 100;
    expect([await lease('a', 'p1'), await lease('a', 'p2'), await lease('b', 'p3', true)]).toEqual([
      350,
      undefined,
      undefined,
    ]);
    expect(await lease('b', 'p4')).toBe(350);
  });

  it('renews a lease that is held, until somebody else wants one', async () => {
    const view = await tripAndWait(newTarget());
    const wish = claim(view, 'p1', { probes: 1 });
    await store.claim('a', wish);
    now += 200;
    expect((await store.renew('a', wish)).leaseMs).toBe(250);
    await store.claim('b', claim(view, 'p2', { probes: 1 }));
    expect((await store.renew('a', wish)).leaseMs).toBeUndefined();
    expect((await store.settle('a', verdict(view, 'p1', 'ok'))).view.state).toBe('closed');
  });
});

describe('seed', () => {
  it('creates from the view, raises the epoch, and never closes an open record', async () => {
    const target = newTarget();
    const [created] = await store.seed('a', [seed({ target }, 's1')]);
    expect(created).toMatchObject({ epoch: 5, epochId: 's1', state: 'open', remainingMs: 800, openings: 2 });
    const [raised] = await store.seed('a', [seed({ target, epoch: 9, state: 'closed' }, 's2')]);
    expect(raised).toMatchObject({ epoch: 9, epochId: 's2', state: 'open', remainingMs: 800 });
    const [lower] = await store.seed('a', [seed({ target, epoch: 3 }, 's3')]);
    expect(lower).toEqual(raised);
  });

  it('lets open win over closed where a report made the record', async () => {
    const target = newTarget();
    await store.report('late', [report(target, { epoch: 5 })]);
    const [view] = await store.seed('a', [seed({ target, remainingMs: 9_000 }, 's1')]);
    expect(view).toMatchObject({ epoch: 5, epochId: 's1', state: 'open', remainingMs: 2_000, reporters: 0 });
  });

  it('brings a decision back that was lost', async () => {
    const target = newTarget();
    const [view] = await store.seed('a', [
      seed({ target, state: 'closed', forced: 'open', forcedVersion: 3, forcedToken: 't' }),
    ]);
    expect(view).toMatchObject({ state: 'closed', forced: 'open', forcedVersion: 3, forcedToken: 't' });
    expect((await store.snapshot([])).views).toContainEqual(view);
  });
});

describe('force', () => {
  it('compares and sets, tells a conflict, and takes a repeat for what it is', async () => {
    const target = newTarget();
    const first = { target, state: 'open', token: 't1', baseVersion: 0, nextId: 'f1' } as const;
    const forced = await store.force('a', first);
    expect(forced).toMatchObject({ accepted: true, view: { forced: 'open', forcedVersion: 1 } });
    expect(await store.force('a', first)).toEqual(forced);
    const other = await store.force('b', { ...first, token: 't2', state: 'closed', nextId: 'f2' });
    expect(other).toEqual({ ...forced, accepted: false });
    expect((await store.claim('a', claim(forced.view, 'p'))).leaseMs).toBeUndefined();
    const lifted = await store.force('b', { target, state: null, token: 't3', baseVersion: 1, nextId: 'f3' });
    expect(lifted).toMatchObject({
      accepted: true,
      view: { forced: null, forcedVersion: 2, state: 'open', remainingMs: 0 },
    });
  });

  it('closes when a forced closed is lifted', async () => {
    const { target, forcedVersion: baseVersion } = await trip(newTarget());
    await store.force('a', { target, state: 'closed', token: 't1', baseVersion, nextId: 'f1' });
    const lifted = await store.force('a', { target, state: null, token: 't2', baseVersion: 1, nextId: 'f2' });
    expect(lifted.view).toMatchObject({ state: 'closed', forced: null, epochId: 'f2' });
  });
});

describe('heartbeat, leave and snapshot', () => {
  it('counts who lives', async () => {
    await store.heartbeat('x');
    expect((await store.heartbeat('y')).live).toBe(2);
    await store.leave('x');
    expect((await store.heartbeat('y')).live).toBe(1);
    now += 15_001;
    expect((await store.heartbeat('z')).live).toBe(1);
  });

  it('lets one that is alone decide alone', async () => {
    now += 60_000;
    await store.heartbeat('only');
    const [view] = await store.report('only', [report(newTarget())]);
    expect(view).toMatchObject({ state: 'open', epoch: 2 });
  });

  it('tells what is unsettled, and views of what is named', async () => {
    const open = await trip(newTarget());
    const { unsettled, cursor } = await store.heartbeat('x');
    expect(unsettled).toContainEqual({ target: open.target, epoch: open.epoch });
    const snapshot = await store.snapshot(['upstream:none', open.target]);
    expect(snapshot.cursor).toBe(cursor);
    expect(snapshot.views.filter(({ target }) => target === open.target)).toEqual([open]);
    expect(snapshot.views.at(-1)).toMatchObject({
      target: 'upstream:none',
      epoch: 0,
      epochId: '',
      state: 'closed',
    });
  });
});

describe('what should not be', () => {
  it('bounds how long a target is open when the clock goes back', async () => {
    const view = await trip(newTarget());
    now -= 3_600_000;
    const [after] = await store.report('a', [report(view.target, { epochId: view.epochId })]);
    now += 3_600_000;
    expect(after!.remainingMs).toBe(1_000);
  });

  it('reads nonsense in a record as zero, and drops it among reports', async () => {
    const target = newTarget();
    await store.report('a', [report(target, { failures: 1 })]);
    const key = (kind: string) => `{healix:v1:operations}:${kind}:${target}`;
    await server
      .client()
      .hset(key('t'), { until: 'nan', n: '1e999', ask1: '-5', st: '?', f: 'x', grants: 'inf', evil: 'x' });
    await server.client().hset(key('w'), { evil: 'h1 9 9 0 1', worse: '\u0000', 'w\n': 'h1 1e5 9 9 9 9' });
    const [view] = await store.report('b', [report(target, { epochId: `${target}-1`, failures: 1 })]);
    expect(view).toMatchObject({ state: 'closed', forced: null, openings: 0, reporters: 2 });
  });

  it('rejects a reply that is none', async () => {
    const target = newTarget();
    await store.report('a', [report(target)]);
    await server.client().hset(`{healix:v1:operations}:t:${target}`, 'eid', 'e'.repeat(65));
    await expect(store.snapshot([target])).rejects.toMatchObject({
      code: 'HEALIX_STORE',
      reason: 'malformed',
    });
  });
});
