import { describe, expect, test } from 'vitest';
import { DrivenFleet } from '../../../../test/fleet/harness/driven-fleet.ts';
import { openView, type ScriptedStore, viewOf } from '../../../../test/fleet/harness/scripted-store.ts';
import type { ForcedState } from '../config/schema.ts';

const DECIDED = { reached: true, conflict: undefined };
const ALONE = { reached: false, conflict: undefined };

/** A replica that shares a target, and a person who decides there. */
async function fleetOfOne() {
  const world = new DrivenFleet();
  const target = world.join();
  await world.clock.advance(100);
  const decide = (state: ForcedState) => {
    const before = target.breaker.snapshot();
    target.breaker.force(state, world.clock.now());
    return world.fleet.force('t', state, before);
  };
  return { ...world, target, decide };
}

/** A store that knows how to decide, as it does from now on. */
function decides(scripted: ScriptedStore, record: { forced: ForcedState; version: number; token?: string }) {
  const viewNow = () =>
    viewOf('t', {
      epoch: record.version + 1,
      forced: record.forced,
      forcedVersion: record.version,
      forcedToken: record.token ?? '',
    });
  const force: typeof scripted.force = scripted.force;
  force.mockReset().mockImplementation(async (_, { state, token, baseVersion }) => {
    if (record.token === token) return { accepted: true, view: viewNow() };
    if (record.version !== baseVersion) return { accepted: false, view: viewNow() };
    Object.assign(record, { forced: state, version: baseVersion + 1, token });
    return { accepted: true, view: viewNow() };
  });
  scripted.snapshot.mockImplementation(async () => ({ cursor: scripted.cursor, views: [viewNow()] }));
  return { record, viewNow };
}

const toldTokens = ({ force }: ScriptedStore) => new Set(force.mock.calls.map(([, { token }]) => token));

describe("a person's decision", () => {
  test('is compared with what was known', async () => {
    const { scripted, tell, fleet, decide } = await fleetOfOne();
    await tell('1-0', viewOf('t', { forcedVersion: 6 }));
    const view = viewOf('t', { epoch: 2, forced: 'open', forcedVersion: 7, forcedToken: 'x' });
    scripted.force.mockResolvedValueOnce({ accepted: true, view });
    expect(await decide('open')).toEqual(DECIDED);
    expect(scripted.force.mock.calls[0]).toMatchObject([
      fleet.replica,
      { target: 't', state: 'open', baseVersion: 6, token: expect.stringMatching(/^[0-9a-z]{8,}$/) },
    ]);
  });

  test('gives way to one that was made in between', async () => {
    const { scripted, target, decide } = await fleetOfOne();
    const view = viewOf('t', { epoch: 2, forced: 'closed', forcedVersion: 1 });
    scripted.force.mockResolvedValueOnce({ accepted: false, view });
    expect(await decide('open')).toEqual({ reached: true, conflict: 'closed' });
    expect(target.breaker.forced).toBe('closed');
  });

  test('gives way to one that took another back, and leaves a healthy circuit as it was', async () => {
    const { scripted, target, tell, decide } = await fleetOfOne();
    await tell('1-0', viewOf('t', { epoch: 1, forced: 'closed', forcedVersion: 1, forcedToken: 'x' }));
    const view = viewOf('t', { epoch: 2, forcedVersion: 2, forcedToken: 'y' });
    scripted.force.mockResolvedValueOnce({ accepted: false, view });
    expect(await decide('open')).toEqual({ reached: true, conflict: null });
    expect([target.breaker.forced, target.state]).toEqual([null, 'closed']);
    expect(target.transitions.at(-1)).toMatchObject({ to: 'closed', reason: 'released' });
    expect(target.transitions.at(-1)?.detail).toBe('by an earlier decision for the fleet');
  });

  test('that is refused leaves what the fleet holds open to the fleet', async () => {
    const { scripted, target, tell, decide } = await fleetOfOne();
    await tell('1-0', openView('t', { epoch: 1 }));
    scripted.force.mockResolvedValueOnce({ accepted: false, view: openView('t', { forcedVersion: 2 }) });
    expect(await decide('closed')).toEqual({ reached: true, conflict: null });
    expect([target.breaker.forced, target.state, target.breaker.isFleets]).toEqual([null, 'open', true]);
  });

  test('the same where news had told of it before the answer', async () => {
    const { clock, scripted, target, tell, views, decide } = await fleetOfOne();
    await tell('1-0', openView('t', { epoch: 1 }));
    await clock.advance(100);
    const view = openView('t', { forcedVersion: 2, forcedToken: 'x' });
    scripted.force.mockImplementationOnce(async () => {
      await tell('2-0', view);
      expect(views.at(-1)).toBe(view);
      return { accepted: false, view };
    });
    expect(await decide('closed')).toEqual({ reached: true, conflict: null });
    expect([target.breaker.forced, target.state, target.breaker.isFleets]).toEqual([null, 'open', true]);
  });

  test('reaches nobody for a target that is not shared', async () => {
    const { scripted, fleet, target } = await fleetOfOne();
    expect(await fleet.force('unknown', 'open', target.breaker.snapshot())).toEqual(ALONE);
    expect(scripted.force).not.toHaveBeenCalled();
  });
});

describe('where nothing is known of the target', () => {
  test('it follows what the store says: decisions from long ago are no conflict', async () => {
    const { scripted, target, decide } = await fleetOfOne();
    const { record } = decides(scripted, { forced: null, version: 2, token: 'old' });
    expect(await decide('open')).toEqual(DECIDED);
    expect(record).toMatchObject({ forced: 'open', version: 3 });
    expect([target.breaker.forced, target.state]).toEqual(['open', 'open']);
  });

  test('it does not before the store has said', async () => {
    const { clock, scripted, decide } = await fleetOfOne();
    const { record } = decides(scripted, { forced: 'closed', version: 5, token: 'old' });
    scripted.snapshot.mockRejectedValueOnce(new Error('late'));
    const told = decide('open');
    await clock.advance(50);
    expect(scripted.force).not.toHaveBeenCalled();
    await clock.advance(300);
    expect(await told).toEqual(DECIDED);
    expect(record).toMatchObject({ forced: 'open', version: 6 });
  });
});

describe('without an answer', () => {
  test('it is told again under its token', async () => {
    const { clock, scripted, decide } = await fleetOfOne();
    const { record } = decides(scripted, { forced: null, version: 0 });
    const answer = scripted.force.getMockImplementation() as typeof scripted.force;
    const lose = async (...input: Parameters<typeof scripted.force>) => {
      await answer(...input);
      throw new Error('late');
    };
    scripted.force.mockImplementationOnce(lose).mockImplementationOnce(lose);
    const told = decide('open');
    await clock.advance(700);
    expect(await told).toEqual(DECIDED);
    expect(scripted.force).toHaveBeenCalledTimes(3);
    expect(toldTokens(scripted).size).toBe(1);
    expect(record.version).toBe(1);
  });

  test('it was made for this process after five times within two seconds', async () => {
    const { clock, scripted, target, decide } = await fleetOfOne();
    scripted.force.mockRejectedValue(new Error('late'));
    let times: number | undefined;
    const told = decide('open').finally(() => {
      times = scripted.force.mock.calls.length;
    });
    await clock.advance(390);
    expect(times).toBeUndefined();
    await clock.advance(1_610);
    expect(await told).toEqual(ALONE);
    expect(times).toBe(5);
    expect(target.breaker.forced).toBe('open');
  });

  test('keeps the process alive while a person waits', async () => {
    const { clock, scripted, decide } = await fleetOfOne();
    scripted.force.mockRejectedValueOnce(new Error('late'));
    const told = decide('open');
    await clock.advance(0);
    expect(clock.keepsAlive).toBe(true);
    await clock.advance(300);
    await told;
    expect(clock.keepsAlive).toBe(false);
  });

  test.each([
    ['known', 1],
    ['unknown', 0],
  ])('a later one, made here, follows it and is no conflict: a target that was %s', async (_, epoch) => {
    const { clock, scripted, target, tell, decide } = await fleetOfOne();
    await tell('0-1', viewOf('t', { epoch }));
    const { record, viewNow } = decides(scripted, { forced: null, version: 0 });
    const answer = scripted.force.getMockImplementation() as typeof scripted.force;
    scripted.force.mockImplementationOnce(async (...input) => {
      await answer(...input);
      throw new Error('late');
    });
    const first = decide('open');
    await clock.advance(0);
    const taken = viewNow();
    const second = decide(null);
    scripted.tell('1-0', { kind: 'view', view: taken });
    await clock.advance(400);
    expect(await second).toEqual(DECIDED);
    expect((await first).conflict).toBeUndefined();
    expect(record).toMatchObject({ forced: null, version: 2 });
    expect(target.breaker.forced).toBe(null);
    expect(target.transitions.map(({ detail }) => detail)).not.toContain('by a decision for the fleet');
  });

  test.each(['open', null] as const)(
    'a store that has lost the one before is told that first: %s',
    async (forced) => {
      const { clock, scripted, tell, decide } = await fleetOfOne();
      await tell('1-0', viewOf('t', { epoch: 5, forced, forcedVersion: 3, forcedToken: 'x' }));
      const { record } = decides(scripted, { forced: 'closed', version: 2, token: 'w' });
      scripted.seed.mockImplementation(async (_, seeds) => {
        Object.assign(record, { forced, version: 3, token: 'x' });
        return seeds.map(({ view }) => view);
      });
      const told = decide('closed');
      await clock.advance(1_000);
      expect(await told).toEqual(DECIDED);
      expect(record).toMatchObject({ forced: 'closed', version: 4 });
    },
  );

  test('a store that has lost what nobody here knew is asked anew', async () => {
    const { clock, scripted, decide } = await fleetOfOne();
    const { record } = decides(scripted, { forced: null, version: 2, token: 'w' });
    const view = viewOf('t', { epoch: 9, forcedVersion: 3 });
    scripted.snapshot.mockResolvedValueOnce({ cursor: '0-0', views: [view] });
    const told = decide('closed');
    await clock.advance(300);
    expect(await told).toEqual(DECIDED);
    expect(record).toMatchObject({ forced: 'closed', version: 3 });
  });

  test('it is told on, though nobody waits any more and nothing else is amiss', async () => {
    const { clock, scripted, decide } = await fleetOfOne();
    const { record } = decides(scripted, { forced: null, version: 0 });
    const answer = scripted.force.getMockImplementation() as typeof scripted.force;
    scripted.force.mockRejectedValue(new Error('late'));
    const told = decide('closed');
    await clock.advance(2_000);
    expect(await told).toEqual(ALONE);
    scripted.force.mockReset().mockImplementation(answer);
    await clock.advance(700);
    expect(record).toMatchObject({ forced: 'closed', version: 1 });
  });

  test('it is told no more once the fleet is left', async () => {
    const { clock, scripted, fleet, decide } = await fleetOfOne();
    scripted.force.mockRejectedValue(new Error('late'));
    const told = decide('closed');
    await clock.advance(0);
    await fleet.close();
    await clock.advance(300);
    expect(await told).toEqual(ALONE);
    expect(scripted.force).toHaveBeenCalledTimes(1);
  });
});

describe('made while the store is away', () => {
  async function away(forced: ForcedState) {
    const world = await fleetOfOne();
    await world.tell('1-0', viewOf('t', { epoch: 2, forced, forcedVersion: 1, forcedToken: 'old' }));
    world.scripted.fail('read');
    await world.clock.advance(6_500);
    expect(world.states.at(-1)).toBe('away');
    const back = (record: { forced: ForcedState; version: number; token: string }) => {
      world.scripted.recover();
      world.scripted.heartbeat.mockImplementation(async () => ({ live: 1, cursor: '1-0', unsettled: [] }));
      const store = decides(world.scripted, record);
      world.scripted.seed.mockImplementation(async () => [store.viewNow()]);
      return store;
    };
    return { ...world, back };
  }

  test('it is told at once to be for this process, and holds here', async () => {
    const { clock, target, decide } = await away('open');
    expect(await decide(null)).toEqual(ALONE);
    await clock.advance(5_000);
    expect(target.breaker.forced).toBe(null);
  });

  test('it is told when the store is back, and holds for all', async () => {
    const { clock, target, decide, back, scripted } = await away('open');
    await decide(null);
    const { record } = back({ forced: 'open', version: 1, token: 'old' });
    await clock.advance(1_500);
    expect(record).toMatchObject({ forced: null, version: 2 });
    expect(target.breaker.forced).toBe(null);
    await clock.advance(5_000);
    expect(scripted.force).toHaveBeenCalledTimes(1);
  });

  test('news of the decision that it follows does not undo it meanwhile', async () => {
    const { clock, target, decide, tell } = await away('open');
    await decide(null);
    await tell('2-0', viewOf('t', { epoch: 3, forced: 'open', forcedVersion: 1, forcedToken: 'old' }));
    expect(target.breaker.forced).toBe(null);
    await clock.advance(100);
    expect(target.breaker.forced).toBe(null);
  });

  test.each(['closed', null] as const)('what the fleet has decided meanwhile holds: %s', async (forced) => {
    const { clock, target, decide, back, views } = await away('open');
    await decide('closed');
    const { record } = back({ forced, version: 2, token: 'theirs' });
    await clock.advance(1_500);
    expect(record).toMatchObject({ forced, version: 2, token: 'theirs' });
    expect(target.breaker.forced).toBe(forced);
    expect(views.at(-1)).toMatchObject({ forcedToken: 'theirs' });
  });

  test('the transition tells that it gave way', async () => {
    const { clock, target, decide, back } = await away(null);
    await decide('open');
    back({ forced: 'closed', version: 2, token: 'theirs' });
    target.transitions.length = 0;
    await clock.advance(1_500);
    expect(target.transitions).toMatchObject([{ to: 'closed', reason: 'forced' }]);
    expect(target.transitions[0]?.detail).toMatch(/by an? (earlier )?decision for the fleet/);
  });

  test('the last of several is told', async () => {
    const { clock, decide, back, scripted } = await away('open');
    await decide(null);
    await decide('closed');
    const { record } = back({ forced: 'open', version: 1, token: 'old' });
    await clock.advance(1_500);
    expect(record).toMatchObject({ forced: 'closed', version: 2 });
    expect(toldTokens(scripted).size).toBe(1);
  });

  test('of several that do not hold nothing is left', async () => {
    const { clock, target, decide, back } = await away(null);
    await decide('open');
    await decide('closed');
    back({ forced: null, version: 3, token: 'theirs' });
    await clock.advance(1_500);
    expect([target.breaker.forced, target.state]).toEqual([null, 'closed']);
  });

  test('it is not told again while the store has yet to answer', async () => {
    const { clock, decide, back, scripted } = await away('open');
    await decide(null);
    back({ forced: 'open', version: 1, token: 'old' });
    scripted.force.mockReset().mockImplementation(() => new Promise(() => {}));
    await clock.advance(2_000);
    expect(scripted.force).toHaveBeenCalledTimes(1);
  });

  test('one on a target of which nothing was known gives way to any', async () => {
    const { clock, join, fleet, back, scripted } = await away(null);
    const target = join('u');
    const before = target.breaker.snapshot();
    target.breaker.force('open', clock.now());
    expect(await fleet.force('u', 'open', before)).toEqual(ALONE);
    back({ forced: null, version: 1, token: 'old' });
    const view = viewOf('u', { forced: 'closed', forcedVersion: 4, forcedToken: 'theirs' });
    scripted.snapshot.mockImplementation(async (names) => ({
      cursor: '1-0',
      views: names.includes('u') ? [view] : [],
    }));
    scripted.force.mockResolvedValue({ accepted: false, view });
    await clock.advance(1_500);
    expect(scripted.force.mock.calls[0]?.[1]).toMatchObject({ target: 'u', baseVersion: 0 });
    expect(target.breaker.forced).toBe('closed');
  });

  test.each(['close', 'leave'] as const)('it is dropped by %s', async (how) => {
    const { clock, fleet, decide, back, scripted } = await away('open');
    await decide(null);
    if (how === 'close') await fleet.close();
    else fleet.leave('t');
    back({ forced: 'open', version: 1, token: 'old' });
    await clock.advance(3_000);
    expect(scripted.force).not.toHaveBeenCalled();
  });
});
