import { describe, expect, test } from 'vitest';
import { driveProbing } from '../../../../test/fleet/harness/driven-probing.ts';
import { openView, viewOf } from '../../../../test/fleet/harness/scripted-store.ts';
import type { Claim, FleetView } from '../store/store.ts';

describe('a claim', () => {
  test.each([
    [0, 750],
    [0.98, 799],
  ])('is made a quarter of a second before the target is due, with jitter: chance %f', async (chance, at) => {
    const { scripted, workUntil, step, clock, now } = driveProbing({ chance });
    await workUntil(at - 5);
    expect(scripted.claim).not.toHaveBeenCalled();
    await clock.advance(at + 2 - now());
    await step();
    expect(scripted.claim).toHaveBeenCalledTimes(1);
  });

  test('says what it is for', async () => {
    const { scripted, workUntil } = driveProbing({
      options: { circuit: { probes: 5, probeTimeoutMs: 1_700 } },
    });
    await workUntil(800);
    expect(scripted.claim).toHaveBeenCalledWith('me', {
      target: 't',
      epochId: 't-1',
      token: expect.stringMatching(/^[0-9a-z]{8,64}$/),
      probes: 5,
      timeoutMs: 1_700,
      marginMs: 100,
      defer: false,
      nextId: expect.stringMatching(/^[0-9a-z]{8,64}$/),
    });
  });

  test('asks for no longer lease than a store may give, however long a probe may take', async () => {
    const circuit = { probeTimeoutMs: 600_000 };
    const { scripted, adopt, clock, step } = driveProbing({ options: { timeoutMs: 86_400_000, circuit } });
    adopt(openView('t', { epoch: 2, openings: 30 }));
    await clock.advance(1_200);
    await step();
    const [, { timeoutMs, marginMs }] = scripted.claim.mock.calls[0] as [string, Claim];
    expect(2 * timeoutMs + marginMs).toBeLessThan(86_400_000);
  });

  test('that is refused is made again, no sooner than the target is due, each time by another token', async () => {
    const { scripted, workUntil } = driveProbing();
    await workUntil(950);
    expect(scripted.claim).toHaveBeenCalledTimes(1);
    await workUntil(2_000);
    expect(scripted.claim.mock.calls.length).toBeGreaterThanOrEqual(5);
    expect(scripted.claim.mock.calls.length).toBeLessThanOrEqual(8);
    const tokens = scripted.claim.mock.calls.map(([, { token }]) => token);
    expect(new Set(tokens).size).toBe(tokens.length);
  });

  test('is one at a time', async () => {
    const { scripted, workUntil } = driveProbing();
    scripted.claim.mockImplementation(() => new Promise(() => {}));
    await workUntil(2_000);
    expect(scripted.claim).toHaveBeenCalledTimes(1);
  });

  test.each<[string, FleetView]>([
    ['closed', viewOf('t', { epoch: 2 })],
    ['forced', openView('t', { epoch: 2, forced: 'open' })],
  ])('is not made for a target that is %s', async (_name, view) => {
    const { probing, scripted, adopt, workUntil } = driveProbing();
    adopt(view);
    expect(probing.isOnTrial).toBe(false);
    await workUntil(3_000);
    expect(scripted.claim).not.toHaveBeenCalled();
  });

  test('is not made without traffic in the last ten minutes, and is with a refused call', async () => {
    const { target, scripted, step, clock } = driveProbing();
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
  test.each([
    [1_000, 1_000],
    [500, 750],
    [21, 511],
  ])('is for a probe of %i ms and a second before it: it lasts twice %i', async (limit, half) => {
    const { probing, scripted, workUntil, clock, now } = driveProbing({
      options: { circuit: { probeTimeoutMs: limit } },
    });
    scripted.claim.mockImplementation(async (_, { timeoutMs, marginMs }) => ({
      leaseMs: 1_000 - now() + 2 * timeoutMs + marginMs,
      view: openView('t'),
    }));
    await workUntil(900);
    expect(scripted.claim.mock.lastCall?.[1].timeoutMs).toBe(half);
    const { lease } = probing.trial;
    const due = clock.now() - now() + 1_000;
    expect(lease).toMatchObject({ timeoutMs: limit, usableFrom: due, endsAt: due + 2 * half + 100 });
    const usableMs = (lease?.usableUntil ?? 0) - due;
    expect(usableMs).toBeGreaterThanOrEqual(1_000);
    expect(usableMs).toBeLessThan(1_002);
  });

  test('of a probe with little time can be used at any moment', async () => {
    const { probing, clock, scripted, workUntil, now } = driveProbing({
      options: { circuit: { probeTimeoutMs: 20 } },
    });
    const lend = async (_: string, { timeoutMs, marginMs }: Claim) => ({
      leaseMs: Math.max(0, 1_000 - now()) + 2 * timeoutMs + marginMs,
      view: openView('t'),
    });
    scripted.claim.mockImplementation(lend);
    scripted.renew.mockImplementation(lend);
    for (let ms = 1_050; ms < 9_000; ms += 50) {
      await workUntil(ms);
      expect(probing.trial.freeAt(clock.now())).toBe(1);
    }
    expect(scripted.renew.mock.calls.length).toBeLessThan(14);
  });

  test('lets one probe in once the target is due', async () => {
    const { target, clock, now, workUntil, grantAll } = driveProbing();
    grantAll();
    await workUntil(900);
    expect(target.begin()).toBe(0);
    await clock.advance(1_000 - now());
    const probe = target.begin();
    expect(target.breaker.isProbe(probe)).toBe(true);
    expect(target.begin()).toBe(0);
  });

  test('counts from before it was asked for', async () => {
    const { probing, clock, scripted, step, now } = driveProbing();
    const grant = scripted.hold('claim');
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
    const { probing, clock, scripted, step, adopt } = driveProbing();
    const grant = scripted.hold('claim');
    await clock.advance(760);
    await step();
    adopt(openView('t', { epoch: 2 }));
    grant({ leaseMs: 2_340, view: openView('t') });
    await clock.advance(0);
    expect(probing.trial.lease).toBeUndefined();
  });

  test('that is used while it is renewed is not given out twice', async () => {
    const { target, probing, scripted, workUntil, grantAll, clock } = driveProbing();
    grantAll();
    await workUntil(1_600);
    const grant = scripted.hold('renew');
    await workUntil(1_750);
    expect(target.begin()).toBeGreaterThan(0);
    grant({ leaseMs: 2_100, view: openView('t') });
    await clock.advance(0);
    expect(probing.trial.lease).toBeUndefined();
    expect(target.begin()).toBe(0);
  });

  test('that nobody has used is renewed, by the same token, before it is of no use', async () => {
    const { probing, scripted, workUntil, grantAll } = driveProbing();
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

  test('is given back unused where somebody else wants it, and none is claimed before there is a call', async () => {
    const { probing, scripted, workUntil, grantAll, verdicts, target } = driveProbing();
    grantAll();
    await workUntil(1_000);
    scripted.renew.mockImplementation(async () => ({ leaseMs: undefined, view: openView('t') }));
    await workUntil(1_850);
    expect(probing.trial.lease).toBeUndefined();
    expect(verdicts()).toEqual(['unused']);
    await workUntil(5_000);
    expect(scripted.claim).toHaveBeenCalledTimes(1);
    target.calls(1, 'success');
    await workUntil(5_100);
    expect(scripted.claim).toHaveBeenCalledTimes(2);
  });

  test('is given back where nobody calls any more', async () => {
    const { scripted, clock, step, workUntil, grantAll, verdicts } = driveProbing();
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
    const { probing, scripted, workUntil, grantAll } = driveProbing();
    grantAll();
    await workUntil(1_000);
    scripted.fail();
    await workUntil(2_000);
    expect(probing.trial.lease).toBeDefined();
    await workUntil(2_100);
    expect(probing.trial.lease).toBeUndefined();
  });
});
