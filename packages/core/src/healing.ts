import type { CircuitTransition } from './circuit/breaker.ts';
import { runtimeSchema } from './config/runtime-schema.ts';
import { validate } from './config/validate.ts';
import { Target, type TargetContext } from './target.ts';
import { TargetRegistry } from './target-registry.ts';
import { systemClock } from './time/clock.ts';
import { CoarseTime } from './time/coarse-time.ts';
import { systemRandom } from './time/random.ts';
export function createHealing(o: any = {}): any {
  const c = validate(runtimeSchema, o, '');
  const time = new CoarseTime(c.clock ?? systemClock, c.random ?? systemRandom, c.exactCallsPerTick);
  const context: TargetContext = {
    time,
    random: c.random ?? systemRandom,
    mode: c.mode,
    activate: (t) => {
      t.active = true;
    },
    attend() {},
    transitioned() {},
    settingsChanged() {},
    incidentIdOf: () => undefined,
    reportCallback() {},
    ambientOptions: () => undefined,
  };
  const registry = new TargetRegistry(
    { defaults: o.defaults ?? {}, exact: new Map(Object.entries(o.targets ?? {})), patterns: [] },
    context,
    c.maxTargets,
  );
  return { target: (n: string) => registry.get(n), time };
}
