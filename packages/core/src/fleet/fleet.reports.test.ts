import { describe, expect, test } from 'vitest';
import { DrivenFleet, spoil } from '../../../../test/fleet/harness/driven-fleet.ts';
import { viewOf } from '../../../../test/fleet/harness/scripted-store.ts';

describe('reports', () => {
  test('are sent ten targets a call at most, and one call after the other', async () => {
    const { clock, scripted, join, fleet, grown } = new DrivenFleet();
    await grown();
    const well = Array.from({ length: 60 }, (_, n) => join(`well ${n}`));
    const bad = Array.from({ length: 25 }, (_, n) => join(`bad ${n}`));
    for (const target of well) target.calls(1, 'success');
    for (const target of bad) spoil(target);
    await clock.advance(100);
    fleet.tick(clock.now());
    await clock.advance(0);
    expect(scripted.report.mock.calls.slice(0, 3).map(([, reports]) => reports.length)).toEqual([10, 10, 5]);
    const names = scripted.report.mock.calls
      .slice(0, 3)
      .flatMap(([, told]) => told.map(({ target }) => target));
    expect(new Set(names).size).toBe(25);
  });

  test('are fewer a call the more replicas there are', async () => {
    const { clock, scripted, join, fleet, grown } = new DrivenFleet((store) => {
      store.live = 50;
    });
    await grown();
    for (let n = 0; n < 10; n++) join(`well ${n}`).calls(1, 'success');
    for (let n = 0; n < 6; n++) spoil(join(`bad ${n}`));
    await clock.advance(100);
    fleet.tick(clock.now());
    await clock.advance(0);
    expect(scripted.report.mock.calls.slice(0, 2).map(([, reports]) => reports.length)).toEqual([4, 2]);
  });

  test('wait for the one under way, and then tell what is by then', async () => {
    const { scripted, join, busy, grown } = new DrivenFleet();
    await grown();
    const target = join();
    let answer: () => void = () => {};
    scripted.report.mockImplementationOnce(
      () =>
        new Promise((resolve) => {
          answer = () => resolve([viewOf('t')]);
        }),
    );
    spoil(target);
    await busy(1_000);
    expect(scripted.report).toHaveBeenCalledTimes(1);
    target.calls(1, 'failure');
    answer();
    await busy(200);
    expect(scripted.report.mock.calls[1]?.[1]).toMatchObject([{ failures: 4 }]);
  });

  test('that have not counted are told again, under what is known by then', async () => {
    const { clock, scripted, join, grown } = new DrivenFleet();
    await grown();
    join('a').calls(5, 'success');
    await clock.advance(100);
    scripted.report.mockResolvedValueOnce([viewOf('a', { epoch: 3 })]);
    scripted.tell('1-0', { kind: 'ask', targets: ['a'] });
    await clock.advance(5_100);
    expect(scripted.report.mock.calls.map(([, [told]]) => told?.epochId)).toEqual(['', 'a-3']);
  });

  test('of a new process wait until those of an earlier life have ceased to count', async () => {
    const { scripted, join, busy } = new DrivenFleet();
    spoil(join());
    scripted.tell('1-0', { kind: 'ask', targets: ['t'] });
    await busy(2_480);
    expect(scripted.report).not.toHaveBeenCalled();
    await busy(200);
    expect(scripted.report).toHaveBeenCalled();
  });

  test('are sent at once when the fleet asks', async () => {
    const { clock, scripted, join, fleet, grown } = new DrivenFleet();
    await grown();
    join('a').calls(5, 'success');
    join('b').calls(5, 'success');
    await clock.advance(100);
    scripted.tell('1-0', { kind: 'ask', targets: ['a', 'not used here'] });
    await clock.advance(0);
    expect(scripted.report.mock.calls).toMatchObject([
      [fleet.replica, [{ target: 'a', calls: 5, failures: 0 }]],
    ]);
    expect(scripted.report.mock.calls[0]?.[1]).toHaveLength(1);
  });

  test('are not sent by a process that suspects itself', async () => {
    const { scripted, join, busy, fleet, grown } = new DrivenFleet();
    await grown();
    for (const name of ['a', 'b', 'c']) spoil(join(name));
    await busy(2_000);
    expect(fleet.status.suspectsItself).toBe(true);
    expect(scripted.report).not.toHaveBeenCalled();
  });

  test('tell what opened a circuit here, until it has closed', async () => {
    const { clock, scripted, join, fleet, grown } = new DrivenFleet();
    await grown();
    const target = join();
    target.calls(5, 'failure');
    fleet.tripped('t', clock.now());
    await clock.advance(100);
    fleet.tick(clock.now());
    await clock.advance(0);
    expect(scripted.report.mock.lastCall?.[1]).toMatchObject([{ open: true, failures: 5 }]);
    await clock.advance(1_000);
    target.calls(2, 'success');
    fleet.recovered('t');
    await clock.advance(200);
    scripted.report.mockClear();
    await clock.advance(2_000);
    expect(scripted.report).not.toHaveBeenCalled();
  });
});
