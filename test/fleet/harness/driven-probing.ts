import type { TargetOptions } from '../../../packages/core/src/config/schema.ts';
import { Probing } from '../../../packages/core/src/fleet/probing.ts';
import { InsuredStore } from '../../../packages/core/src/store/insured-store.ts';
import type { FleetView } from '../../../packages/core/src/store/store.ts';
import { VirtualClock } from '../../../packages/core/src/time/virtual-clock.ts';
import { DrivenTarget } from './driven-target.ts';
import { openView, ScriptedStore } from './scripted-store.ts';

const STEP_MS = 50;
const OPEN_MS = 1_000;
const PROBE_MS = 1_000;
const MARGIN_MS = 100;

/** A target that the fleet has opened for a second, with traffic, and a store that grants nothing unless told to. */
export function driveProbing({
  chance = 0,
  options = {},
}: {
  chance?: number;
  options?: TargetOptions;
} = {}) {
  const clock = new VirtualClock();
  const target = new DrivenTarget(clock, 't', options);
  let drawn = 0;
  // Ids differ, and jitter is as told.
  const random = { next: () => chance + (drawn++ % 1_000) / 1e6 };
  const probing = new Probing(target, random);
  const scripted = new ScriptedStore(clock);
  const store = new InsuredStore(scripted, clock, () => {});
  const began = clock.now();

  /** The fleet's next epoch. */
  const adopt = (view: FleetView) => {
    const until = clock.now() + view.remainingMs;
    probing.begin(view, until);
    if (view.state === 'open') target.breaker.adoptOpen(probing.trial, until, 1, 'fleet-opened', clock.now());
  };
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
