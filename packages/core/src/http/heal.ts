import { type TargetOptions, targetSchema } from '../config/schema.ts';
import { checkTargetOptions, mergeOptions } from '../config/settings.ts';
import { validate } from '../config/validate.ts';
import type { Healing } from '../healing.ts';
import { isRuntime, runtimeOption } from './options.ts';

/** What a middleware beside a route takes that can heal it alone: settings of the route, and a runtime. */
export interface HealOptions extends TargetOptions {
  /** The runtime, where the middleware stands alone. Default: the process's shared one. */
  runtime?: Healing | undefined;
}

const healSchema = targetSchema.extend({ runtime: runtimeOption });

/**
 * Checks what a middleware beside a route was given.
 *
 * @throws ConfigError
 */
export function checkHealOptions(given: HealOptions | Healing): {
  readonly runtime: Healing | undefined;
  readonly settings: TargetOptions;
} {
  const options: HealOptions = isRuntime(given) ? { runtime: given } : given;
  validate(healSchema, options, '');
  const { runtime, ...settings } = options;
  return { runtime, settings: checkTargetOptions(settings, 'heal') };
}

/**
 * What such a middleware leaves on itself, under plain keys: libraries that wrap middleware (tracing, say) copy
 * those, but neither identity nor symbols.
 */
export interface HealBrand {
  /** Settings of the route that the middleware stands at. */
  readonly healixOptions?: TargetOptions;
  /** The runtime of that route, where no other heals it. */
  readonly healixRuntime?: Healing | undefined;
}

/** The settings among a route's middlewares, a later one's over those of the earlier ones. */
export function optionsAmong(stack: readonly HealBrand[]): TargetOptions | undefined {
  const given = stack.map(({ healixOptions }) => healixOptions).filter((options) => options !== undefined);
  return given.length < 2 ? given[0] : given.reduce<TargetOptions>(mergeInto, {});
}

/** The runtime among a route's middlewares, the last that is given. */
export function runtimeAmong(stack: readonly HealBrand[]): Healing | undefined {
  return stack.findLast(({ healixRuntime }) => healixRuntime !== undefined)?.healixRuntime;
}

function mergeInto(under: TargetOptions, over: TargetOptions): TargetOptions {
  return mergeOptions({ ...under }, over);
}
