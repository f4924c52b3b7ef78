import { onTestFinished } from 'vitest';
import { Fleet } from '../../../packages/core/src/fleet/fleet.ts';
import type { StoreStatus } from '../../../packages/core/src/store/insured-store.ts';
import type { FleetView } from '../../../packages/core/src/store/store.ts';
import { seededRandom } from '../../../packages/core/src/time/random.ts';
import { VirtualClock } from '../../../packages/core/src/time/virtual-clock.ts';
import { DrivenTarget } from './driven-target.ts';
import { ScriptedStore } from './scripted-store.ts';

/** A replica's part in the fleet, in virtual time, on a scripted store; closed with the test. */
export class DrivenFleet {
  readonly clock = new VirtualClock();
  readonly scripted = new ScriptedStore(this.clock);
  /** States of the store, and views, that were told. */
  readonly states: StoreStatus['state'][] = [];
  readonly views: FleetView[] = [];
  readonly fleet: Fleet;

  /** @param prepare sets what the store says from the beginning */
  constructor(prepare: (scripted: ScriptedStore) => void = () => {}) {
    prepare(this.scripted);
    this.fleet = new Fleet(this.scripted, {
      service: 'shop',
      clock: this.clock,
      random: seededRandom(1),
      onStore: ({ state }) => this.states.push(state),
      onView: (view) => this.views.push(view),
    });
    onTestFinished(() => this.fleet.close());
  }

  /** Until what this process has seen is told. */
  readonly grown = (): Promise<void> => this.clock.advance(2_500);

  /** A target that is shared from now on. */
  readonly join = (name = 't'): DrivenTarget => {
    const target = new DrivenTarget(this.clock, name);
    this.fleet.join(target);
    return target;
  };

  /** News of what records are like. */
  readonly tell = async (cursor: string, ...told: FleetView[]): Promise<void> => {
    this.scripted.tell(cursor, ...told.map((view) => ({ kind: 'view', view }) as const));
    await this.clock.advance(0);
  };

  /** Time passes with traffic on some target or other. */
  readonly busy = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 20) {
      this.fleet.tick(this.clock.now());
      await this.clock.advance(20);
    }
  };
}

/** Makes a target fail enough to be told of, and not enough to open. */
export function spoil(target: DrivenTarget): void {
  target.calls(1, 'success');
  target.calls(3, 'failure');
}
