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

/**
 * OpenTelemetry's instrumentation of Koa wraps middleware in functions that keep none of its marks; but it lets be
 * what bears the mark of having been wrapped, which is a symbol of its own.
 */
const UNWRAPPED = new Proxy(Function.prototype, {
  get: (target, key, self) =>
    (typeof key === 'symbol' && key.description === 'koa-layer-patched') || Reflect.get(target, key, self),
});

/** Puts marks on a middleware, and has them stay in sight. */
export function brand<M extends object>(middleware: M, marks: Branded): M {
  Object.setPrototypeOf(middleware, UNWRAPPED);
  return Object.assign(middleware, marks);
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
