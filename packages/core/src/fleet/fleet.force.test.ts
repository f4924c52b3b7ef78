import { describe, expect, test } from 'vitest';
import { DrivenFleet } from '../../../../test/fleet/harness/driven-fleet.ts';
import { viewOf } from '../../../../test/fleet/harness/scripted-store.ts';
import { StoreError } from '../errors.ts';

describe("a person's decision", () => {
  test('is compared with what was known', async () => {
    const { clock, scripted, join, tell, fleet } = new DrivenFleet();
    join();
    await clock.advance(100);
    await tell('1-0', viewOf('t', { forcedVersion: 6 }));
    const view = viewOf('t', { epoch: 2, forced: 'open', forcedVersion: 7, forcedToken: 'x' });
    scripted.force.mockResolvedValueOnce({ accepted: true, view });
    expect(await fleet.force('t', 'open')).toEqual({ reached: true, conflict: undefined });
    expect(scripted.force.mock.calls[0]).toMatchObject([
      fleet.replica,
      { target: 't', state: 'open', baseVersion: 6, token: expect.stringMatching(/^[0-9a-z]{8,}$/) },
    ]);
  });

  test('gives way to an earlier one that was not known here', async () => {
    const { clock, scripted, join, fleet } = new DrivenFleet();
    const target = join();
    await clock.advance(100);
    target.breaker.force('open', clock.now());
    const view = viewOf('t', { epoch: 2, forced: 'closed', forcedVersion: 1 });
    scripted.force.mockResolvedValueOnce({ accepted: false, view });
    expect(await fleet.force('t', 'open')).toEqual({ reached: true, conflict: 'closed' });
    expect(target.breaker.forced).toBe('closed');
  });

  test('gives way to one that took another back', async () => {
    const { clock, scripted, join, fleet } = new DrivenFleet();
    const target = join();
    await clock.advance(100);
    target.breaker.force('open', clock.now());
    const view = viewOf('t', { epoch: 2, forcedVersion: 2 });
    scripted.force.mockResolvedValueOnce({ accepted: false, view });
    expect(await fleet.force('t', 'open')).toEqual({ reached: true, conflict: null });
    expect(target.breaker.forced).toBe(null);
  });

  test('is told again, as the same one, where the answer does not come', async () => {
    const { clock, scripted, join, fleet } = new DrivenFleet();
    join();
    await clock.advance(100);
    const late = new StoreError('timeout', 'no answer');
    scripted.force.mockRejectedValueOnce(late).mockRejectedValueOnce(late);
    expect(await fleet.force('t', 'open')).toEqual({ reached: true, conflict: undefined });
    const [first, ...again] = scripted.force.mock.calls;
    expect(again).toEqual([first, first]);
  });

  test('reaches nobody where no answer comes at all', async () => {
    const { clock, scripted, join, fleet } = new DrivenFleet();
    join();
    await clock.advance(100);
    scripted.force.mockRejectedValue(new StoreError('timeout', 'no answer'));
    expect(await fleet.force('t', 'open')).toEqual({ reached: false, conflict: undefined });
    expect(scripted.force).toHaveBeenCalledTimes(3);
  });

  test('reaches nobody for a target that is not shared', async () => {
    const { scripted, fleet } = new DrivenFleet();
    expect(await fleet.force('unknown', 'open')).toEqual({ reached: false, conflict: undefined });
    expect(scripted.force).not.toHaveBeenCalled();
  });
});
