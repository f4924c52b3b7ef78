import { describe, expect, test } from 'vitest';
import { openView, ScriptedStore, viewOf } from '../../../../test/fleet/harness/scripted-store.ts';
import { VirtualClock } from '../time/virtual-clock.ts';
import { InsuredStore, type StoreStatus } from './insured-store.ts';
import type { Claim, Heartbeat } from './store.ts';

const never = new AbortController().signal;
const forever = () => new Promise<never>(() => {});
const claim = { target: 't', epochId: 't-1', token: 'x' } as Claim;

function setup() {
  const clock = new VirtualClock();
  const scripted = new ScriptedStore(clock);
  const changes: StoreStatus['state'][] = [];
  const store = new InsuredStore(scripted, clock, ({ state }) => changes.push(state));
  return { clock, scripted, store, changes };
}

describe('a store that works', () => {
  test('is starting until the first write has worked, whatever was read', async () => {
    const { store, changes } = setup();
    expect(store.status).toEqual({ state: 'starting', lastError: undefined, failures: 0 });
    await store.snapshot([]);
    expect(store.status.state).toBe('starting');
    expect(await store.heartbeat('me')).toEqual({ live: 1, cursor: '0-0', unsettled: [] });
    await store.heartbeat('me');
    expect(changes).toEqual(['connected']);
  });

  test('passes on what it is asked and what it says', async () => {
    const { store, scripted } = setup();
    const reply = { leaseMs: 700, view: openView('t') };
    scripted.claim.mockResolvedValueOnce(reply);
    expect(await store.claim('me', claim)).toBe(reply);
    expect(scripted.claim).toHaveBeenCalledWith('me', claim);
  });

  test('leaves no timer behind', async () => {
    const { store, clock } = setup();
    await store.heartbeat('me');
    await store.snapshot([]);
    await clock.advance(0);
    expect(clock.pending).toBe(0);
  });
});

describe('a store is away', () => {
  test('when a write has failed and none has worked for 1.2 s since', async () => {
    const { store, scripted, clock, changes } = setup();
    await store.heartbeat('me');
    scripted.fail();
    await clock.advance(10_000);
    expect(await store.heartbeat('me')).toBeUndefined();
    expect(store.away).toBe(false);
    clock.advanceSync(1_199);
    store.look();
    expect(store.away).toBe(false);
    clock.advanceSync(1);
    store.look();
    expect(changes).toEqual(['connected', 'away']);
    expect(store.status).toEqual({ state: 'away', lastError: 'the store is gone', failures: 1 });
  });

  test('also where it never was there', async () => {
    const { store, scripted, clock, changes } = setup();
    scripted.fail();
    await store.heartbeat('me');
    clock.advanceSync(1_200);
    await store.heartbeat('me');
    expect(changes).toEqual(['away']);
  });

  test('not when a write has worked in between', async () => {
    const { store, scripted, clock, changes } = setup();
    for (let times = 0; times < 10; times++) {
      scripted.fail();
      await store.heartbeat('me');
      clock.advanceSync(1_100);
      store.look();
      scripted.recover();
      await store.heartbeat('me');
    }
    expect(changes).toEqual(['connected']);
    expect(store.status.failures).toBe(10);
  });

  test('not for reads that fail, and still for reads that work', async () => {
    const { store, scripted, clock, changes } = setup();
    await store.heartbeat('me');
    scripted.fail('heartbeat');
    for (let times = 0; times < 5; times++) {
      expect(await store.snapshot([])).toBeUndefined();
      expect(await store.read('0-0', 5_000, never)).toBeUndefined();
      clock.advanceSync(1_000);
      store.look();
    }
    expect(changes).toEqual(['connected']);

    scripted.recover();
    scripted.fail('snapshot');
    await store.heartbeat('me');
    clock.advanceSync(1_200);
    expect(await store.snapshot([])).toBeDefined();
    store.look();
    await store.snapshot([]);
    expect(changes).toEqual(['connected', 'away']);
  });

  test('until a write works: any one', async () => {
    const { store, scripted, clock, changes } = setup();
    scripted.fail();
    await store.heartbeat('me');
    clock.advanceSync(1_200);
    store.look();
    scripted.recover();
    await store.claim('me', claim);
    expect(changes).toEqual(['away', 'connected']);
    clock.advanceSync(60_000);
    store.look();
    expect(store.status).toEqual({ state: 'connected', lastError: 'the store is gone', failures: 1 });
  });
});

describe('a store that does not answer', () => {
  test('has failed after 2.5 s, and has been away since 1.2 s after it was asked', async () => {
    const { store, scripted, clock, changes } = setup();
    scripted.heartbeat.mockImplementationOnce(forever);
    const reply = store.heartbeat('me');
    await clock.advance(2_499);
    expect(store.status.failures).toBe(0);
    await clock.advance(1);
    expect(await reply).toBeUndefined();
    expect(changes).toEqual(['away']);
    expect(store.status.lastError).toMatch(/did not answer/);
  });

  test('is not heard later', async () => {
    const { store, scripted, clock, changes } = setup();
    let answer: (heartbeat: Heartbeat) => void = () => {};
    scripted.heartbeat.mockImplementationOnce(
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    const reply = store.heartbeat('me');
    await clock.advance(2_500);
    answer({ live: 1, cursor: '0-0', unsettled: [] });
    await clock.advance(0);
    expect(await reply).toBeUndefined();
    expect(changes).toEqual(['away']);
  });

  test('may take a read five seconds longer than it was to wait', async () => {
    const { store, scripted, clock } = setup();
    scripted.read.mockImplementationOnce(forever);
    let news: unknown = 'none yet';
    void store.read('0-0', 5_000, never).then((reply) => {
      news = reply;
    });
    await clock.advance(9_999);
    expect(news).toBe('none yet');
    await clock.advance(1);
    expect(news).toBeUndefined();
  });

  test('keeps nobody who leaves for more than 2.5 s an operation', async () => {
    const { store, scripted, clock } = setup();
    scripted.leave.mockImplementationOnce(forever);
    scripted.close.mockImplementationOnce(forever);
    const closed = store.close('me');
    await clock.advance(5_000);
    await closed;
    expect(scripted.leave).toHaveBeenCalledWith('me');
    expect(scripted.close).toHaveBeenCalledTimes(1);
  });
});

describe('a store that is broken', () => {
  test('may throw instead of rejecting, and throw anything', async () => {
    const { store, scripted } = setup();
    scripted.heartbeat.mockImplementationOnce(() => {
      throw 'not even an error';
    });
    expect(await store.heartbeat('me')).toBeUndefined();
    expect(store.status).toMatchObject({ failures: 1, lastError: 'not even an error' });
  });

  test('may return no promise', async () => {
    const { store, scripted } = setup();
    scripted.heartbeat.mockReturnValueOnce(undefined as never);
    expect(await store.heartbeat('me')).toBeUndefined();
    expect(store.status.failures).toBe(1);
  });

  test.each<[string, (store: InsuredStore) => Promise<unknown>, keyof ScriptedStore, unknown]>([
    ['heartbeat', (store) => store.heartbeat('me'), 'heartbeat', { live: -1, cursor: '0-0', unsettled: [] }],
    ['report', (store) => store.report('me', []), 'report', [viewOf('t')]],
    ['claim', (store) => store.claim('me', claim), 'claim', { leaseMs: '9', view: openView('t') }],
    ['renew', (store) => store.renew('me', claim), 'renew', { leaseMs: 9 }],
    ['settle', (store) => store.settle('me', {} as never), 'settle', { counted: 1, view: openView('t') }],
    ['seed', (store) => store.seed('me', []), 'seed', null],
    ['force', (store) => store.force('me', {} as never), 'force', { accepted: true, view: {} }],
    ['snapshot', (store) => store.snapshot([]), 'snapshot', { cursor: 7, views: [] }],
    ['read', (store) => store.read('', 0, never), 'read', { cursor: '', entries: [{ kind: 'no' }] }],
  ])('a senseless reply to %s is none', async (_name, ask, operation, reply) => {
    const { store, scripted } = setup();
    (scripted[operation] as typeof scripted.leave).mockResolvedValueOnce(reply as never);
    expect(await ask(store)).toBeUndefined();
    expect(store.status).toMatchObject({ state: 'starting', failures: 1 });
  });

  test('has its connections given back even where the replica cannot leave', async () => {
    const { store, scripted } = setup();
    scripted.fail();
    await store.close('me');
    expect(scripted.close).toHaveBeenCalledTimes(1);
  });
});
