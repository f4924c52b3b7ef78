import { describe, expect, test } from 'vitest';
import { DrivenFleet } from '../../../../test/fleet/harness/driven-fleet.ts';
import { openView } from '../../../../test/fleet/harness/scripted-store.ts';

describe('closing', () => {
  test('takes the replica off the members, gives connections back, and leaves no timer', async () => {
    const { clock, scripted, fleet } = new DrivenFleet();
    await clock.advance(1_000);
    await fleet.close();
    expect(scripted.leave).toHaveBeenCalledWith(fleet.replica);
    expect(scripted.close).toHaveBeenCalledTimes(1);
    await clock.advance(0);
    expect(clock.pending).toBe(0);
    const { writes } = scripted;
    fleet.tick(clock.now() + 10_000);
    await clock.advance(10_000);
    expect(scripted.writes).toBe(writes);
  });

  test('lets each circuit heal alone', async () => {
    const { clock, join, tell, fleet } = new DrivenFleet();
    const target = join();
    await clock.advance(100);
    await tell('1-0', openView('t'));
    await fleet.close();
    await clock.advance(1_000);
    target.calls(2, 'success');
    expect(target.state).toBe('closed');
  });
});

describe('closing, with a target that is open', () => {
  /** It has calls, and is due in a second. */
  async function opened() {
    const world = new DrivenFleet();
    const { clock, scripted, join, tell, busy } = world;
    const target = join();
    target.calls(1, 'success');
    await clock.advance(100);
    await tell('1-0', openView('t'));
    const told = () => {
      const [settled] = scripted.settle.mock.invocationCallOrder;
      const [left] = scripted.leave.mock.invocationCallOrder;
      const isInTime = settled !== undefined && left !== undefined && settled < left;
      return { verdicts: scripted.settle.mock.calls.map(([, { verdict }]) => verdict), isInTime };
    };
    scripted.claim.mockImplementation(async () => ({ leaseMs: 2_200, view: openView('t') }));
    return { ...world, clock, scripted, busy, target, told };
  }

  test('gives back a lease that nobody has used', async () => {
    const { fleet, busy, scripted, told } = await opened();
    await busy(1_000);
    expect(scripted.claim).toHaveBeenCalledTimes(1);
    await fleet.close();
    expect(told()).toEqual({ verdicts: ['unused'], isInTime: true });
    expect(scripted.settle.mock.calls[0]?.[1].token).toBe(scripted.claim.mock.calls[0]?.[1].token);
  });

  test('keeps the lease of a probe that is out: others would send one more', async () => {
    const { fleet, busy, target, told } = await opened();
    await busy(1_200);
    expect(target.breaker.isProbe(target.begin())).toBe(true);
    await fleet.close();
    expect(told().verdicts).toEqual([]);
  });

  test('gives back a lease that comes when it has begun', async () => {
    const { fleet, busy, clock, scripted, told } = await opened();
    const grant = scripted.hold('claim');
    await busy(1_000);
    const closed = fleet.close();
    await clock.advance(100);
    expect(scripted.leave).not.toHaveBeenCalled();
    grant({ leaseMs: 2_000, view: openView('t') });
    await closed;
    expect(told()).toEqual({ verdicts: ['unused'], isInTime: true });
  });

  test.each([
    ['success', 'ok'],
    ['failure', 'fail'],
  ] as const)('tells what its probe came to: %s', async (outcome, verdict) => {
    const { fleet, busy, target, told } = await opened();
    await busy(1_200);
    target.calls(1, outcome);
    await fleet.close();
    expect(told()).toEqual({ verdicts: [verdict], isInTime: true });
  });

  test('waits a second for that at most', async () => {
    const { fleet, busy, clock, scripted } = await opened();
    await busy(1_000);
    scripted.settle.mockImplementation(() => new Promise(() => {}));
    const closed = fleet.close();
    await clock.advance(950);
    expect(scripted.leave).not.toHaveBeenCalled();
    await clock.advance(100);
    await closed;
    expect(scripted.close).toHaveBeenCalledTimes(1);
    scripted.recover();
  });

  test('does not fail where the store does', async () => {
    const { fleet, busy, scripted, target, clock } = await opened();
    await busy(1_000);
    scripted.fail();
    await fleet.close();
    expect(scripted.close).toHaveBeenCalledTimes(1);
    await clock.advance(1_000);
    target.calls(2, 'success');
    expect(target.state).toBe('closed');
  });

  test('leaves it alone when the store comes back at that moment', async () => {
    const { fleet, busy, scripted, target, clock, states } = await opened();
    scripted.fail();
    await busy(2_000);
    let hear = () => {};
    scripted.heartbeat.mockImplementation(
      () =>
        new Promise((resolve) => {
          hear = () => resolve({ live: 1, cursor: '1-0', unsettled: [] });
        }),
    );
    await busy(600);
    expect([states.at(-1), target.breaker.isFleets]).toEqual(['away', false]);
    await fleet.close();
    hear();
    await clock.advance(0);
    expect([states.at(-1), target.breaker.isFleets]).toEqual(['away', false]);
  });

  test('claims nothing more', async () => {
    const { fleet, busy, clock, scripted, tell, join } = new DrivenFleet();
    const names = Array.from({ length: 40 }, (_, n) => `t${n}`);
    for (const name of names) join(name).calls(1, 'success');
    await clock.advance(100);
    await tell('1-0', ...names.map((name) => openView(name, { remainingMs: 0 })));
    const grants: (() => void)[] = [];
    scripted.claim.mockImplementation(
      (_, { target }) =>
        new Promise((resolve) => {
          grants.push(() => resolve({ leaseMs: undefined, view: openView(target) }));
        }),
    );
    await busy(200);
    expect(grants.length).toBe(16);
    const closed = fleet.close();
    for (const grant of grants) grant();
    await closed;
    await clock.advance(1_000);
    expect(scripted.claim).toHaveBeenCalledTimes(16);
  });
});

test('a target that is left has its lease given back', async () => {
  const { fleet, clock, scripted, join, tell, busy } = new DrivenFleet();
  join().calls(1, 'success');
  await clock.advance(100);
  await tell('1-0', openView('t'));
  scripted.claim.mockImplementation(async () => ({ leaseMs: 2_200, view: openView('t') }));
  await busy(1_000);
  fleet.leave('t');
  await busy(100);
  expect(scripted.settle.mock.calls).toMatchObject([[fleet.replica, { verdict: 'unused' }]]);
});
