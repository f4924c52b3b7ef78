import type { Healing } from '@healix/core';
import { ConfigError } from '@healix/core';
import {
  type AdapterOptions,
  type AdapterSettings,
  type HealOptions as CommonHealOptions,
  checkAdapterOptions,
  checkHealOptions,
  isRuntime,
} from '@healix/core/adapter';
import type { ExpressRequest } from './express.ts';

interface DeadlineAnswer {
  /**
   * Answer 504 in place of a handler that is still silent when the route's `deadlineMs` is over. What it sends
   * afterwards goes nowhere. Default: false, `req.healing.signal` aborts and the handler answers.
   */
  deadlineAnswer?: boolean | undefined;
}

/** Settings for all routes of the application, and those of the adapter. */
export interface HealingOptions<R extends ExpressRequest = ExpressRequest>
  extends AdapterOptions<R>,
    DeadlineAnswer {}

/** Settings of a route, and the runtime for where no `healing()` stands before it. */
export interface HealOptions extends CommonHealOptions, DeadlineAnswer {}

export interface HealingSettings<R> extends AdapterSettings<R> {
  /** Undefined where the user set nothing. */
  readonly deadlineAnswer: boolean | undefined;
}

/** @throws ConfigError */
export function checkOptions<R extends ExpressRequest>(
  given: HealingOptions<R> | Healing,
): HealingSettings<R> {
  const { deadlineAnswer, options } = apart(given);
  return { ...checkAdapterOptions<R>(options), deadlineAnswer };
}

/** What `heal` was given. @throws ConfigError */
export function readHealOptions(
  given: HealOptions | Healing,
): ReturnType<typeof checkHealOptions> & { readonly deadlineAnswer: boolean | undefined } {
  const { deadlineAnswer, options } = apart(given);
  return { ...checkHealOptions(options), deadlineAnswer };
}

/** Express's own option, and those that all adapters know. */
function apart<O extends object>(
  given: (O & DeadlineAnswer) | Healing,
): { deadlineAnswer: boolean | undefined; options: O | Healing } {
  if (typeof given !== 'object' || given === null || isRuntime(given)) {
    return { deadlineAnswer: undefined, options: given };
  }
  const { deadlineAnswer, ...options } = given;
  if (deadlineAnswer !== undefined && typeof deadlineAnswer !== 'boolean') {
    throw new ConfigError('deadlineAnswer', deadlineAnswer, 'true or false');
  }
  return { deadlineAnswer, options: options as unknown as O };
}
