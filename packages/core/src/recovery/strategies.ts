import { degrade } from './strategies/degrade.ts';
import { isolate } from './strategies/isolate.ts';
import { limit } from './strategies/limit.ts';
import { notify } from './strategies/notify.ts';
import { observe } from './strategies/observe.ts';
import { reset } from './strategies/reset.ts';
import { retry } from './strategies/retry.ts';
import type { RecoveryStrategy } from './strategy.ts';

/** What every registry starts with. */
export const builtInStrategies: readonly RecoveryStrategy[] = [
  observe,
  retry,
  degrade,
  limit,
  isolate,
  reset,
  notify,
];
