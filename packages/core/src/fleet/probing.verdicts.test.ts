import { describe, expect, test } from 'vitest';
import { driveProbing } from '../../../../test/fleet/harness/driven-probing.ts';
import { openView } from '../../../../test/fleet/harness/scripted-store.ts';
import type { VerdictReply } from '../store/store.ts';

describe('a verdict', () => {
  test.each([
    ['success', 'ok'],
    ['failure', 'fail'],
    ['overload', 'fail'],
    ['ignored', 'unused'],
  ] as const)('of a probe with %s is %s', async (outcome, verdict) => {
    const { target, scripted, workUntil, grantAll, step } = driveProbing();
    grantAll();
    await workUntil(1_000);
    target.calls(1, outcome);
    await step();
    const [[, { token }]] = scripted.claim.mock.calls as never as [[string, { token: string }]];
    expect(scripted.settle.mock.calls).toMatchObject([
      ['me', { target: 't', epochId: 't-1', token, verdict }],
    ]);
    await step();
    expect(scripted.settle).toHaveBeenCalledTimes(1);
  });

  test('of a probe that has no answer in its time is fail', async () => {
    const { target, scripted, workUntil, grantAll, verdicts } = driveProbing();
    grantAll();
    await workUntil(1_000);
    const probe = target.begin();
    await workUntil(1_950);
    expect(verdicts()).toEqual([]);
    expect(scripted.claim).toHaveBeenCalledTimes(1);
    await workUntil(2_000);
    expect(verdicts()).toEqual(['fail']);
    target.end(probe, 'success');
    await workUntil(2_100);
    expect(verdicts()).toEqual(['fail']);
  });

  test('is told until it is heard', async () => {
    const { target, scripted, workUntil, grantAll, verdicts } = driveProbing();
    grantAll();
    await workUntil(1_000);
    scripted.fail();
    target.calls(1, 'success');
    await workUntil(1_200);
    expect(verdicts().length).toBeGreaterThanOrEqual(4);
    expect(new Set(verdicts())).toEqual(new Set(['ok']));
    scripted.recover();
    await workUntil(1_600);
    expect(verdicts()).toEqual(['ok']);
  });

  test('is told no longer than the lease lasts', async () => {
    const { target, scripted, workUntil, grantAll, verdicts } = driveProbing();
    grantAll();
    await workUntil(1_000);
    scripted.fail();
    target.calls(1, 'success');
    await workUntil(3_150);
    const told = verdicts().length;
    await workUntil(5_000);
    expect(verdicts().length).toBe(told);
  });

  test('is not told once another epoch has begun', async () => {
    const { target, scripted, workUntil, grantAll, adopt, step, verdicts } = driveProbing();
    grantAll();
    await workUntil(1_000);
    target.calls(1, 'success');
    adopt(openView('t', { epoch: 2 }));
    await step();
    expect(verdicts()).toEqual([]);
    expect(scripted.claim).toHaveBeenCalledTimes(1);
  });

  test('that is heard after the next epoch has begun delays no claim of that', async () => {
    const { target, scripted, workUntil, grantAll, adopt, step } = driveProbing();
    grantAll();
    await workUntil(1_000);
    let hear: (reply: VerdictReply) => void = () => {};
    scripted.settle.mockImplementationOnce(
      () =>
        new Promise((resolve) => {
          hear = resolve;
        }),
    );
    target.calls(1, 'success');
    await step();
    adopt(openView('t', { epoch: 2 }));
    hear({ counted: true, view: openView('t', { epoch: 2 }) });
    await workUntil(1_850);
    expect(scripted.claim.mock.lastCall?.[1].epochId).toBe('t-2');
  });

  test('is followed by another claim, not before others had their turn', async () => {
    const { target, scripted, workUntil, grantAll } = driveProbing();
    grantAll();
    await workUntil(1_000);
    target.calls(1, 'success');
    await workUntil(1_240);
    expect(scripted.claim).toHaveBeenCalledTimes(1);
    await workUntil(1_350);
    expect(scripted.claim).toHaveBeenCalledTimes(2);
  });
});

describe('a replica whose probe has failed', () => {
  test('lets others go first in the next epoch, and in that one alone', async () => {
    const { target, scripted, workUntil, grantAll, adopt, step } = driveProbing();
    grantAll();
    await workUntil(1_000);
    target.calls(1, 'failure');
    await step();
    scripted.claim.mockReset();
    adopt(openView('t', { epoch: 2 }));
    await workUntil(2_240);
    expect(scripted.claim).not.toHaveBeenCalled();
    await workUntil(2_350);
    expect(scripted.claim.mock.lastCall?.[1]).toMatchObject({ epochId: 't-2', defer: true });

    scripted.claim.mockClear();
    adopt(openView('t', { epoch: 3 }));
    await workUntil(3_200);
    expect(scripted.claim.mock.lastCall?.[1]).toMatchObject({ epochId: 't-3', defer: false });
  });
});
