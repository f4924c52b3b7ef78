import type { Scenario } from './scenario.ts';
import { blip } from './scenarios/blip.ts';
import { capacityHalves } from './scenarios/capacity-halves.ts';
import { cascade } from './scenarios/cascade.ts';
import { down } from './scenarios/down.ts';
import { drift } from './scenarios/drift.ts';
import { flapping } from './scenarios/flapping.ts';
import { halfErrors } from './scenarios/half-errors.ts';
import { hang } from './scenarios/hang.ts';
import { longTail } from './scenarios/long-tail.ts';
import { networkRamp } from './scenarios/network-ramp.ts';
import { oneHostFails } from './scenarios/one-host-fails.ts';
import { oneHostHangs } from './scenarios/one-host-hangs.ts';
import { oneHostSlow } from './scenarios/one-host-slow.ts';
import { oneRouteFails } from './scenarios/one-route-fails.ts';
import { overloadRefusedFast } from './scenarios/overload-refused-fast.ts';
import { overloadX2 } from './scenarios/overload-x2.ts';
import { overloadX5 } from './scenarios/overload-x5.ts';
import { rateLimit } from './scenarios/rate-limit.ts';
import { stampede } from './scenarios/stampede.ts';
import { steady } from './scenarios/steady.ts';
import { tenTimesSlower } from './scenarios/ten-times-slower.ts';

/** All scenarios in the order of the tables: from the mildest on. */
export const scenarios: readonly Scenario[] = [
  steady,
  longTail,
  blip,
  rateLimit,
  networkRamp,
  oneHostFails,
  oneHostSlow,
  oneHostHangs,
  halfErrors,
  flapping,
  down,
  hang,
  tenTimesSlower,
  capacityHalves,
  overloadX2,
  overloadX5,
  overloadRefusedFast,
  stampede,
  cascade,
  oneRouteFails,
  drift,
];
