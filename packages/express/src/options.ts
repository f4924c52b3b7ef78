import type { Healing } from '@healix/core';
import { ConfigError } from '@healix/core';
import {
  type AdapterOptions,
  type AdapterSettings,
  checkAdapterOptions,
  isRuntime,
} from '@healix/core/adapter';
import type { ExpressRequest } from './express.ts';

/** Settings for all routes of the application, and those of the adapter. */
export interface HealingOptions<R extends ExpressRequest = ExpressRequest> extends AdapterOptions<R> {
  /**
   * Answer 504 in place of a handler that is still silent when the route's `deadlineMs` is over. What it sends
   * afterwards goes nowhere. Default: false, `req.healing.signal` aborts and the handler answers.
   */
  deadlineAnswer?: boolean | undefined;
}

export interface HealingSettings<R> extends AdapterSettings<R> {
  /** Undefined where the user set nothing. */
  readonly deadlineAnswer: boolean | undefined;
}

/** @throws ConfigError */
export function checkOptions<R extends ExpressRequest>(
  given: HealingOptions<R> | Healing,
): HealingSettings<R> {
  if (isRuntime(given)) return { ...checkAdapterOptions<R>(given), deadlineAnswer: undefined };
  const { deadlineAnswer, ...options } = given;
  if (deadlineAnswer !== undefined && typeof deadlineAnswer !== 'boolean') {
    throw new ConfigError('deadlineAnswer', deadlineAnswer, 'true or false');
  }
  return { ...checkAdapterOptions<R>(options), deadlineAnswer };
}
