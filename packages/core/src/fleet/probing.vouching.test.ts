import { describe, expect, test } from 'vitest';
import { driveProbing } from '../../../../test/fleet/harness/driven-probing.ts';
import { openView } from '../../../../test/fleet/harness/scripted-store.ts';
import type { TargetOptions } from '../config/schema.ts';

/** Claimed at 1 s, the lease ends at 3.1 s. */
async function closedHere(options: TargetOptions = {}) {
  const world = driveProbing({ options });
  world.grantAll();
  world.target.breaker.standAlone();
  await world.clock.advance(1_000);
  world.target.calls(2, 'success');
  expect(world.target.state).toBe('closed');
  await world.step();
  expect(world.scripted.claim).toHaveBeenCalledTimes(1);
  expect(world.verdicts()).toEqual([]);
  return world;
}

describe('a circuit that has closed here while the fleet holds it open', () => {
  test('vouches for the target by its next call that works', async () => {
    const { target, step, verdicts } = await closedHere();
    await step();
    expect(verdicts()).toEqual([]);
    target.calls(1, 'success');
    await step();
    expect(verdicts()).toEqual(['ok']);
    target.calls(5, 'success');
    await step();
    expect(verdicts()).toHaveLength(1);
  });

  test.each([
    [1, 49, 'ok'],
    [9, 11, 'ok'],
    [10, 10, 'fail'],
    [11, 9, 'fail'],
  ] as const)('is judged by the share: %i of its calls fail, %i do not', async (bad, good, verdict) => {
    const { target, step, verdicts } = await closedHere({ circuit: { minimumCalls: 20 } });
    for (let i = 0; i < 50; i++) {
      if (i < bad) target.calls(1, 'failure');
      if (i < good) target.calls(1, 'success');
    }
    await step();
    expect(verdicts()).toEqual([verdict]);
  });

  test('is judged by the share that is set', async () => {
    const { target, step, verdicts } = await closedHere({ circuit: { failureRate: 0.9 } });
    for (let i = 0; i < 7; i++) {
      target.calls(2, 'failure');
      target.calls(1, 'success');
    }
    await step();
    expect(verdicts()).toEqual(['ok']);
  });

  test('waits for more calls after one that failed, while there is time', async () => {
    const { target, workUntil, verdicts } = await closedHere();
    target.calls(1, 'failure');
    await workUntil(1_500);
    expect(verdicts()).toEqual([]);
    target.calls(2, 'success');
    await workUntil(2_750);
    expect(verdicts()).toEqual([]);
    await workUntil(2_850);
    expect(verdicts()).toEqual(['ok']);
  });

  test.each(['failure', 'overload'] as const)(
    'speaks against it before the lease ends: nothing but %s',
    async (outcome) => {
      const { target, workUntil, verdicts, scripted } = await closedHere();
      target.calls(1, outcome);
      await workUntil(2_850);
      expect(verdicts()).toEqual(['fail']);
      expect(scripted.renew).not.toHaveBeenCalled();
    },
  );

  test('speaks against it once its calls are too slow', async () => {
    const { target, step, verdicts } = await closedHere({ circuit: { slowCallMs: 100, minimumCalls: 5 } });
    target.calls(5, 'success', 200);
    await step();
    expect(verdicts()).toEqual(['fail']);
  });

  test('speaks against it at once where it opens again by its own rules', async () => {
    const { target, step, verdicts } = await closedHere();
    target.calls(10, 'failure');
    expect(target.state).toBe('open');
    await step();
    expect(verdicts()).toEqual(['fail']);
  });

  test('claims nothing while it is open by its own rules', async () => {
    const { target, workUntil, scripted } = await closedHere();
    target.calls(10, 'failure');
    await workUntil(2_000);
    expect(target.breaker.isFleets).toBe(false);
    expect(scripted.claim).toHaveBeenCalledTimes(1);
  });

  test('asks for no second lease meanwhile, and keeps the one it has until there is a call', async () => {
    const { target, scripted, workUntil, verdicts } = await closedHere();
    await workUntil(9_000);
    expect(scripted.claim).toHaveBeenCalledTimes(1);
    expect(scripted.renew.mock.calls.length).toBeGreaterThan(0);
    expect(verdicts()).toEqual([]);
    target.calls(1, 'success');
    await workUntil(9_050);
    expect(verdicts()).toEqual(['ok']);
  });

  test('gives the lease back unused where there is no call, and somebody else wants it', async () => {
    const { target, scripted, workUntil, verdicts } = await closedHere();
    scripted.renew.mockImplementation(async () => ({ leaseMs: undefined, view: openView('t') }));
    await workUntil(1_850);
    expect(verdicts()).toEqual(['unused']);
    await workUntil(5_000);
    expect(scripted.claim).toHaveBeenCalledTimes(1);
    target.calls(1, 'success');
    await workUntil(5_100);
    expect(scripted.claim).toHaveBeenCalledTimes(2);
  });

  test('has the lease settled unused before it ends, where the store cannot be reached meanwhile', async () => {
    const { scripted, workUntil, verdicts } = await closedHere();
    scripted.renew.mockImplementation(async () => {
      throw new Error('the store is gone');
    });
    await workUntil(2_100);
    expect(verdicts()).toEqual(['unused']);
  });
});
