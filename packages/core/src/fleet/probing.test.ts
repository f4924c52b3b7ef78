import { describe, expect, test } from 'vitest';
import { DrivenTarget } from '../../../../test/fleet/harness/driven-target.ts';
import { openView, ScriptedStore, viewOf } from '../../../../test/fleet/harness/scripted-store.ts';
import type { TargetOptions } from '../config/schema.ts';
import { InsuredStore } from '../store/insured-store.ts';
import type { ClaimReply, FleetView, VerdictReply } from '../store/store.ts';
import { VirtualClock } from '../time/virtual-clock.ts';
import { Probing } from './probing.ts';

const STEP_MS = 50;
const OPEN_MS = 1_000;
const PROBE_MS = 1_000;
const MARGIN_MS = 100;

/** A target that the fleet has opened for a second, with traffic, and a store that grants nothing unless told to. */
function setup({ chance = 0, options = {} }: { chance?: number; options?: TargetOptions } = {}) {
  const clock = new VirtualClock();
  const target = new DrivenTarget(clock, 't', options);
  let drawn = 0;
  // Ids differ, and jitter is as told.
  const random = { next: () => chance + (drawn++ % 1_000) / 1e6 };
  const probing = new Probing(target, random);
  const scripted = new ScriptedStore(clock);
  const store = new InsuredStore(scripted, clock, () => {});
  const began = clock.now();

  const adopt = (view: FleetView) => {
    const until = clock.now() + view.remainingMs;
    probing.begin(view, until);
    if (view.state === 'open') target.breaker.adoptOpen(probing.trial, until, 1, 'fleet-opened', clock.now());
  };
  /** The fleet's next epoch. */
  const step = async () => {
    probing.noteTraffic(clock.now());
    void probing.work(store, 'me', clock.now());
    await clock.advance(0);
  };
  /** Works every 50 ms until so many ms after the beginning, and then once more. */
  const workUntil = async (ms: number) => {
    while (clock.now() - began < ms) {
      await step();
      await clock.advance(Math.min(STEP_MS, ms - (clock.now() - began)));
    }
    await step();
  };
  const now = () => clock.now() - began;
  /** Grants each claim from now on, for as long as the protocol says. */
  const grantAll = () => {
    const grant = async () => {
      const leaseMs = Math.max(0, OPEN_MS - now()) + 2 * PROBE_MS + MARGIN_MS;
      return { leaseMs, view: openView('t') };
    };
    scripted.claim.mockImplementation(grant);
    scripted.renew.mockImplementation(grant);
  };
  const verdicts = () => scripted.settle.mock.calls.map(([, { verdict }]) => verdict);
  target.calls(1, 'success');
  adopt(openView('t'));
  return { clock, target, probing, scripted, adopt, step, workUntil, now, grantAll, verdicts };
}

describe('a claim', () => {
  test.each([
    [0, 750],
    [0.98, 799],
  ])('is made a quarter of a second before the target is due, with jitter: chance %f', async (chance, at) => {
    const { scripted, workUntil, step, clock, now } = setup({ chance });
    await workUntil(at - 5);
    expect(scripted.claim).not.toHaveBeenCalled();
    await clock.advance(at + 2 - now());
    await step();
    expect(scripted.claim).toHaveBeenCalledTimes(1);
  });

  test('says what it is for', async () => {
    const { scripted, workUntil } = setup({ options: { circuit: { probes: 5, probeTimeoutMs: 700 } } });
    await workUntil(800);
    expect(scripted.claim).toHaveBeenCalledWith('me', {
      target: 't',
      epochId: 't-1',
      token: expect.stringMatching(/^[0-9a-z]{8,64}$/),
      probes: 5,
      timeoutMs: 700,
      marginMs: 100,
      defer: false,
      nextId: expect.stringMatching(/^[0-9a-z]{8,64}$/),
    });
  });

  test('that is refused is made again, no sooner than the target is due, each time by another token', async () => {
    const { scripted, workUntil } = setup();
    await workUntil(950);
    expect(scripted.claim).toHaveBeenCalledTimes(1);
    await workUntil(2_000);
    expect(scripted.claim.mock.calls.length).toBeGreaterThanOrEqual(5);
    expect(scripted.claim.mock.calls.length).toBeLessThanOrEqual(8);
    const tokens = scripted.claim.mock.calls.map(([, { token }]) => token);
    expect(new Set(tokens).size).toBe(tokens.length);
  });

  test('is one at a time', async () => {
    const { scripted, workUntil } = setup();
    scripted.claim.mockImplementation(() => new Promise(() => {}));
    await workUntil(2_000);
    expect(scripted.claim).toHaveBeenCalledTimes(1);
  });

  test.each<[string, FleetView]>([
    ['closed', viewOf('t', { epoch: 2 })],
    ['forced', openView('t', { epoch: 2, forced: 'open' })],
  ])('is not made for a target that is %s', async (_name, view) => {
    const { probing, scripted, adopt, workUntil } = setup();
    adopt(view);
    expect(probing.isOnTrial).toBe(false);
    await workUntil(3_000);
    expect(scripted.claim).not.toHaveBeenCalled();
  });

  test('is not made without traffic in the last ten minutes, and is with a refused call', async () => {
    const { target, scripted, step, clock } = setup();
    await step();
    await clock.advance(600_001);
    await step();
    expect(scripted.claim).not.toHaveBeenCalled();
    target.monitor.refused++;
    await step();
    expect(scripted.claim).toHaveBeenCalledTimes(1);
  });
});

describe('a lease', () => {
  test('lets one probe in once the target is due', async () => {
    const { target, clock, now, workUntil, grantAll } = setup();
    grantAll();
    await workUntil(900);
    expect(target.begin()).toBe(0);
    await clock.advance(1_000 - now());
    const probe = target.begin();
    expect(target.breaker.isProbe(probe)).toBe(true);
    expect(target.begin()).toBe(0);
  });

  test('counts from before it was asked for', async () => {
    const { probing, clock, scripted, step, now } = setup();
    let grant: (reply: ClaimReply) => void = () => {};
    scripted.claim.mockImplementationOnce(
      () =>
        new Promise((resolve) => {
          grant = resolve;
        }),
    );
    await clock.advance(760);
    await step();
    await clock.advance(40);
    grant({ leaseMs: 2_340, view: openView('t') });
    await clock.advance(0);
    expect(now()).toBe(800);
    const start = clock.now() - 800;
    expect(probing.trial.lease).toMatchObject({
      usableFrom: start + 1_000,
      usableUntil: start + 2_000,
      endsAt: start + 3_100,
    });
  });

  test('of an epoch that is over is not used', async () => {
    const { probing, clock, scripted, step, adopt } = setup();
    let grant: (reply: ClaimReply) => void = () => {};
    scripted.claim.mockImplementationOnce(
      () =>
        new Promise((resolve) => {
          grant = resolve;
        }),
    );
    await clock.advance(760);
    await step();
    adopt(openView('t', { epoch: 2 }));
    grant({ leaseMs: 2_340, view: openView('t') });
    await clock.advance(0);
    expect(probing.trial.lease).toBeUndefined();
  });

  test('that is used while it is renewed is not given out twice', async () => {
    const { target, probing, scripted, workUntil, grantAll, clock } = setup();
    grantAll();
    await workUntil(1_600);
    let grant: (reply: ClaimReply) => void = () => {};
    scripted.renew.mockImplementationOnce(
      () =>
        new Promise((resolve) => {
          grant = resolve;
        }),
    );
    await workUntil(1_750);
    expect(target.begin()).toBeGreaterThan(0);
    grant({ leaseMs: 2_100, view: openView('t') });
    await clock.advance(0);
    expect(probing.trial.lease).toBeUndefined();
    expect(target.begin()).toBe(0);
  });

  test('that nobody has used is renewed, by the same token, before it is of no use', async () => {
    const { probing, scripted, workUntil, grantAll } = setup();
    grantAll();
    await workUntil(1_600);
    expect(scripted.renew).not.toHaveBeenCalled();
    await workUntil(1_750);
    expect(scripted.renew.mock.calls.length).toBeGreaterThan(0);
    expect(scripted.renew.mock.lastCall?.[1].token).toBe(scripted.claim.mock.lastCall?.[1].token);
    await workUntil(20_000);
    expect(probing.trial.lease).toBeDefined();
    expect(scripted.claim).toHaveBeenCalledTimes(1);
    expect(scripted.settle).not.toHaveBeenCalled();
  });

  test('is given back unused where somebody else wants it', async () => {
    const { probing, scripted, workUntil, grantAll, verdicts } = setup();
    grantAll();
    await workUntil(1_000);
    const refuse = async () => ({ leaseMs: undefined, view: openView('t') });
    scripted.renew.mockImplementation(refuse);
    scripted.claim.mockImplementation(refuse);
    await workUntil(1_850);
    expect(probing.trial.lease).toBeUndefined();
    expect(verdicts()).toEqual(['unused']);
  });

  test('is given back where nobody calls any more', async () => {
    const { scripted, clock, step, workUntil, grantAll, verdicts } = setup();
    grantAll();
    await workUntil(1_000);
    scripted.renew.mockImplementation(async () => ({ leaseMs: 700_000, view: openView('t') }));
    await workUntil(1_800);
    await clock.advance(700_000 - 1_200);
    scripted.renew.mockClear();
    await step();
    await step();
    expect(scripted.renew).not.toHaveBeenCalled();
    expect(verdicts()).toEqual(['unused']);
  });

  test('is kept while the store cannot be reached, for as long as a probe has time', async () => {
    const { probing, scripted, workUntil, grantAll } = setup();
    grantAll();
    await workUntil(1_000);
    scripted.fail();
    await workUntil(2_000);
    expect(probing.trial.lease).toBeDefined();
    await workUntil(2_100);
    expect(probing.trial.lease).toBeUndefined();
  });
});

describe('a verdict', () => {
  test.each([
    ['success', 'ok'],
    ['failure', 'fail'],
    ['overload', 'fail'],
    ['ignored', 'unused'],
  ] as const)('of a probe with %s is %s', async (outcome, verdict) => {
    const { target, scripted, workUntil, grantAll, step } = setup();
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
    const { target, scripted, workUntil, grantAll, verdicts } = setup();
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
    const { target, scripted, workUntil, grantAll, verdicts } = setup();
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
    const { target, scripted, workUntil, grantAll, verdicts } = setup();
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
    const { target, scripted, workUntil, grantAll, adopt, step, verdicts } = setup();
    grantAll();
    await workUntil(1_000);
    target.calls(1, 'success');
    adopt(openView('t', { epoch: 2 }));
    await step();
    expect(verdicts()).toEqual([]);
    expect(scripted.claim).toHaveBeenCalledTimes(1);
  });

  test('that is heard after the next epoch has begun delays no claim of that', async () => {
    const { target, scripted, workUntil, grantAll, adopt, step } = setup();
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
    const { target, scripted, workUntil, grantAll } = setup();
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
    const { target, scripted, workUntil, grantAll, adopt, step } = setup();
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

describe('a circuit that has closed here while the fleet holds it open', () => {
  async function closedHere() {
    const world = setup();
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

  test.each([
    ['success', 'ok'],
    ['failure', 'fail'],
  ] as const)('vouches for the target by its next call: %s', async (outcome, verdict) => {
    const { target, step, verdicts } = await closedHere();
    await step();
    expect(verdicts()).toEqual([]);
    target.calls(1, outcome);
    await step();
    expect(verdicts()).toEqual([verdict]);
    target.calls(5, 'success');
    await step();
    expect(verdicts()).toHaveLength(1);
  });

  test('asks for no second lease meanwhile', async () => {
    const { scripted, workUntil } = await closedHere();
    await workUntil(2_000);
    expect(scripted.claim).toHaveBeenCalledTimes(1);
  });
});
