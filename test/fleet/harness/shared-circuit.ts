import type { TargetOptions } from '../../../packages/core/src/config/schema.ts';
import { SharedCircuit, type Source } from '../../../packages/core/src/fleet/shared-circuit.ts';
import type { FleetView } from '../../../packages/core/src/store/store.ts';
import { seededRandom } from '../../../packages/core/src/time/random.ts';
import { VirtualClock } from '../../../packages/core/src/time/virtual-clock.ts';
import { DrivenTarget } from './driven-target.ts';
import { openView, viewOf } from './scripted-store.ts';

/** A target `t` and what is believed of it. */
export function shareCircuit(options: TargetOptions = {}) {
  const clock = new VirtualClock();
  const target = new DrivenTarget(clock, 't', options);
  const circuit = new SharedCircuit(target, seededRandom(1));
  const take = (view: FleetView, source: Source = 'reply') => circuit.take(view, source, clock.now());
  const report = () => circuit.report(clock.now());
  return { clock, target, circuit, take, report };
}

export const closed = (epoch: number, more: Partial<FleetView> = {}) => viewOf('t', { epoch, ...more });
export const open = (epoch: number, more: Partial<FleetView> = {}) => openView('t', { epoch, ...more });
