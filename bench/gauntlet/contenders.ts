import type { Contender } from './contender.ts';
import { cockatielDocumented, cockatielTuned } from './contenders/cockatiel.ts';
import { healixBasic } from './contenders/healix-basic.ts';
import { naiveRetry } from './contenders/naive-retry.ts';
import { none } from './contenders/none.ts';
import { opossumDocumented, opossumTuned } from './contenders/opossum.ts';
import { oracle } from './contenders/oracle.ts';
import { timeout } from './contenders/timeout.ts';
import { undiciDocumented, undiciTuned } from './contenders/undici.ts';

/** All contenders in the order of the tables. The first one is what the others are measured by. */
export const contenders: readonly Contender[] = [
  oracle,
  none,
  timeout,
  naiveRetry,
  undiciDocumented,
  undiciTuned,
  opossumDocumented,
  opossumTuned,
  cockatielDocumented,
  cockatielTuned,
  healixBasic,
];
