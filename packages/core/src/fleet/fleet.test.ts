import { describe, expect, test } from 'vitest';
import { DrivenFleet, spoil } from '../../../../test/fleet/harness/driven-fleet.ts';
import { openView, viewOf } from '../../../../test/fleet/harness/scripted-store.ts';

describe('a fleet in health', () => {
  test('sends a heartbeat every five seconds, and no other write', async () => {
    const { scripted, join, busy } = new DrivenFleet();
    const targets = ['a', 'b', 'c'].map(join);
    for (let second = 0; second < 60; second++) {
      for (const target of targets) target.calls(10, 'success');
      await busy(1_000);
    }
    expect(scripted.heartbeat.mock.calls.length).toBeGreaterThanOrEqual(12);
    expect(scripted.heartbeat.mock.calls.length).toBeLessThanOrEqual(13);
    expect(scripted.writes).toBe(scripted.heartbeat.mock.calls.length);
    expect(scripted.snapshot).toHaveBeenCalledTimes(1);
  });

  test('hears soon after its start of those that started with it', async () => {
    const { clock, scripted, fleet } = new DrivenFleet();
    await clock.advance(100);
    scripted.live = 100;
    await clock.advance(500);
    expect(fleet.status.live).toBe(100);
  });

  test('says who it is', async () => {
    const { clock, scripted, fleet } = new DrivenFleet((store) => {
      store.live = 2;
    });
    await clock.advance(0);
    expect(scripted.open).toHaveBeenCalledWith('shop');
    expect(scripted.heartbeat).toHaveBeenCalledWith(fleet.replica);
    expect(fleet.replica).toMatch(/^[0-9a-z]{8,64}$/);
    expect(fleet.status).toEqual({
      service: 'shop',
      replica: fleet.replica,
      live: 2,
      store: { state: 'connected', lastError: undefined, failures: 0 },
      suspectsItself: false,
    });
  });
});

describe('a heartbeat', () => {
  test('is due twice a second while a target is not closed, and every five seconds again after', async () => {
    const { clock, scripted, join, tell } = new DrivenFleet();
    join();
    await clock.advance(100);
    await tell('1-0', openView('t'));
    scripted.unsettled = [{ target: 't', epoch: 1 }];
    scripted.heartbeat.mockClear();
    await clock.advance(10_000);
    expect(scripted.heartbeat.mock.calls.length).toBeGreaterThanOrEqual(19);
    expect(scripted.heartbeat.mock.calls.length).toBeLessThanOrEqual(21);
    await tell('2-0', viewOf('t', { epoch: 2 }));
    scripted.unsettled = [];
    await clock.advance(1_000);
    scripted.heartbeat.mockClear();
    await clock.advance(10_000);
    expect(scripted.heartbeat.mock.calls.length).toBeLessThanOrEqual(3);
  });

  test('that is not answered is not sent again meanwhile', async () => {
    const { clock, scripted, join, tell } = new DrivenFleet();
    join();
    await clock.advance(100);
    await tell('1-0', openView('t'));
    scripted.heartbeat.mockReset().mockImplementation(() => new Promise(() => {}));
    await clock.advance(2_400);
    expect(scripted.heartbeat).toHaveBeenCalledTimes(1);
  });

  test('names records that are fetched where they differ, and only those', async () => {
    const { clock, scripted, join, tell } = new DrivenFleet();
    const [a] = [join('a'), join('b')];
    await clock.advance(100);
    await tell('1-0', openView('b', { epoch: 4 }));
    scripted.snapshot.mockImplementation(async (names) => ({
      cursor: '1-0',
      views: names.map((name) => openView(name, { epoch: 3 })),
    }));
    scripted.snapshot.mockClear();
    scripted.unsettled = [
      { target: 'a', epoch: 3 },
      { target: 'b', epoch: 4 },
    ];
    await clock.advance(700);
    expect(scripted.snapshot.mock.calls).toEqual([[['a']]]);
    expect(a.state).toBe('open');
  });

  test('of a stream that is behind what was read has everything read anew', async () => {
    const { clock, scripted, join, tell } = new DrivenFleet();
    const target = join();
    await clock.advance(100);
    await tell('5-0', viewOf('t'));
    scripted.cursor = '1-0';
    scripted.snapshot.mockResolvedValueOnce({ cursor: '1-0', views: [openView('t', { epoch: 2 })] });
    await clock.advance(600);
    expect(scripted.snapshot.mock.lastCall).toEqual([['t']]);
    expect(target.state).toBe('open');
  });

  test('names records that are fetched again at once where that has failed', async () => {
    const { clock, scripted, join, busy } = new DrivenFleet();
    const target = join();
    await clock.advance(5_400);
    scripted.unsettled = [{ target: 't', epoch: 3 }];
    scripted.snapshot.mockRejectedValueOnce(new Error('busy'));
    scripted.snapshot.mockResolvedValueOnce({ cursor: '0-0', views: [openView('t', { epoch: 3 })] });
    await busy(400);
    expect(target.state).toBe('open');
  });

  test('that no longer names an open target has its record read', async () => {
    const { clock, scripted, join, tell } = new DrivenFleet();
    const target = join();
    await clock.advance(100);
    await tell('1-0', openView('t', { remainingMs: 20_000 }));
    expect(target.state).toBe('open');
    scripted.snapshot.mockResolvedValue({ cursor: '1-0', views: [viewOf('t', { epoch: 2 })] });
    await clock.advance(700);
    expect(target.state).toBe('closed');
  });
});

describe('what is known', () => {
  test('of a target that is not used yet holds as soon as it is, for what is left of its time', async () => {
    const { clock, join, views } = new DrivenFleet((store) => {
      store.unsettled = [{ target: 't', epoch: 1 }];
      const views = [openView('t', { remainingMs: 9_000 })];
      store.snapshot.mockResolvedValueOnce({ cursor: '0-0', views });
    });
    await clock.advance(4_000);
    const target = join();
    expect(target.state).toBe('open');
    expect(target.breaker.retryAfterMs()).toBeCloseTo(5_000);
    expect(views).toMatchObject([{ target: 't', state: 'open' }]);
  });

  test('of a target that is not used yet is forgotten once the heartbeat names it no more', async () => {
    const { clock, scripted, join } = new DrivenFleet((store) => {
      store.unsettled = [{ target: 't', epoch: 1 }];
      const views = [openView('t', { remainingMs: 60_000 })];
      store.snapshot.mockResolvedValueOnce({ cursor: '0-0', views });
    });
    await clock.advance(1_000);
    scripted.unsettled = [];
    await clock.advance(5_000);
    expect(join().state).toBe('closed');
  });

  test('changes with the news, and is told', async () => {
    const { clock, join, tell, views } = new DrivenFleet();
    const target = join();
    await clock.advance(100);
    await tell('1-0', openView('t'));
    expect(target.state).toBe('open');
    await clock.advance(10);
    await tell('2-0', viewOf('t', { epoch: 2 }));
    expect(target.state).toBe('closed');
    expect(views.map(({ epoch }) => epoch)).toEqual([1, 2]);
  });

  test('is read before news that cannot be believed are', async () => {
    const { clock, scripted, join, tell, busy } = new DrivenFleet();
    const target = join();
    await clock.advance(100);
    await tell('1-0', viewOf('t'));
    scripted.snapshot.mockImplementation(async (names) => ({
      cursor: '1-0',
      views: names.map((name) => viewOf(name)),
    }));
    scripted.snapshot.mockClear();
    await clock.advance(10);
    await tell('2-0', openView('t', { epoch: 5_000 }));
    expect(target.state).toBe('closed');
    await busy(200);
    expect(scripted.snapshot).toHaveBeenCalledWith(['t']);
    expect(target.state).toBe('closed');
  });

  test('is told to a store that has lost it', async () => {
    const { scripted, join, tell, busy, grown } = new DrivenFleet();
    const target = join();
    await grown();
    await tell('1-0', viewOf('t', { epoch: 9 }));
    scripted.report.mockResolvedValueOnce([viewOf('t', { epoch: 3 })]);
    spoil(target);
    await busy(250);
    expect(scripted.report).toHaveBeenCalled();
    expect(scripted.seed.mock.calls[0]?.[1]).toMatchObject([{ view: { target: 't', epoch: 9 } }]);
  });

  test('is told again until it is heard', async () => {
    const { scripted, join, tell, busy, grown } = new DrivenFleet();
    const target = join();
    await grown();
    await tell('1-0', viewOf('t', { epoch: 9 }));
    spoil(target);
    scripted.report.mockResolvedValueOnce([viewOf('t', { epoch: 0 })]);
    scripted.seed.mockRejectedValueOnce(new Error('busy'));
    scripted.snapshot.mockImplementation(async (names) => ({
      cursor: '1-0',
      views: names.map((name) => viewOf(name, { epoch: 0 })),
    }));
    await busy(1_000);
    expect(scripted.seed.mock.calls.length).toBeGreaterThanOrEqual(2);
  });
});

describe('seeds', () => {
  test('are sent ten targets a call at most', async () => {
    const { clock, scripted, join, tell, busy } = new DrivenFleet();
    const names = Array.from({ length: 45 }, (_, n) => `t${n}`);
    for (const name of names) join(name);
    await clock.advance(100);
    await tell('1-0', ...names.map((name) => openView(name, { epoch: 4, remainingMs: 20_000 })));
    scripted.snapshot.mockImplementation(async (wanted) => ({
      cursor: '1-0',
      views: wanted.map((name) => viewOf(name, { epoch: 0 })),
    }));
    await busy(800);
    expect(scripted.seed.mock.calls.slice(0, 3).map(([, seeds]) => seeds.length)).toEqual([10, 10, 10]);
  });
});

describe('with very many targets', () => {
  async function openMany() {
    const world = new DrivenFleet();
    const names = Array.from({ length: 200 }, (_, n) => `t${n}`);
    for (const name of names) world.join(name).calls(1, 'success');
    await world.clock.advance(100);
    await world.tell('1-0', ...names.map((name) => openView(name, { epoch: 4, remainingMs: 1_000 })));
    return world;
  }

  test('few claims are under way at once, and all of them come', async () => {
    const { scripted, busy } = await openMany();
    let underWay = 0;
    let most = 0;
    const claimed = new Set<string>();
    scripted.claim.mockImplementation(async (_, { target }) => {
      most = Math.max(most, ++underWay);
      claimed.add(target);
      await Promise.resolve();
      underWay--;
      return { leaseMs: undefined, view: openView(target, { epoch: 4 }) };
    });
    await busy(2_000);
    expect([most, claimed.size]).toEqual([16, 200]);
  });

  test('records are read twenty a call', async () => {
    const { scripted, busy } = await openMany();
    scripted.heartbeat.mockResolvedValue({ live: 1, cursor: '1-0', unsettled: [] });
    await busy(1_000);
    const named = scripted.snapshot.mock.calls.map(([names]) => names.length);
    expect(Math.max(...named)).toBe(20);
    expect(new Set(scripted.snapshot.mock.calls.flatMap(([names]) => names)).size).toBe(200);
  });
});

describe('a target', () => {
  test('that is left is neither told of nor tried', async () => {
    const { scripted, join, busy, fleet, grown } = new DrivenFleet();
    await grown();
    spoil(join());
    fleet.leave('t');
    await busy(2_000);
    expect(scripted.report).not.toHaveBeenCalled();
  });
});
