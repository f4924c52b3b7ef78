import type { Healing, TargetOptions } from '@healix/core';
import { mergeOptions } from '@healix/core/adapter';

/**
 * Marks on middleware, under plain keys: libraries that wrap middleware (tracing, say) copy those, but neither
 * identity nor symbols.
 */
export interface Branded {
  /** Settings of the route that the middleware stands at. */
  healixOptions?: TargetOptions;
  /** The runtime of that route, where no other heals it. */
  healixRuntime?: Healing | undefined;
  /** The path of a health endpoint, without the `/` at its end. */
  healixHealth?: string;
}

/** The settings among a route's middlewares, a later one's over those of the earlier ones. */
export function optionsAmong(stack: readonly unknown[]): TargetOptions | undefined {
  const given = (stack as readonly Branded[])
    .map(({ healixOptions }) => healixOptions)
    .filter((options) => options !== undefined);
  return given.length < 2 ? given[0] : given.reduce<TargetOptions>(mergeInto, {});
}

/** The runtime among a route's middlewares, the last that is given. */
export function runtimeAmong(stack: readonly unknown[]): Healing | undefined {
  return (stack as readonly Branded[]).findLast(({ healixRuntime }) => healixRuntime !== undefined)
    ?.healixRuntime;
}

function mergeInto(under: TargetOptions, over: TargetOptions): TargetOptions {
  return mergeOptions({ ...under }, over);
}
