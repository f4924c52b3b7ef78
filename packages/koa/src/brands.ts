import type { TargetOptions } from '@healix/core';

/**
 * Marks on middleware, under plain keys: libraries that wrap middleware (tracing, say) copy those, but neither
 * identity nor symbols.
 */
export interface Branded {
  /** Settings of the route that the middleware stands at. */
  healixOptions?: TargetOptions;
  /** The path of a health endpoint, without the `/` at its end. */
  healixHealth?: string;
}

/** The settings among a route's middlewares, the last one's over the others'. */
export function optionsAmong(stack: readonly unknown[]): TargetOptions | undefined {
  return stack.findLast((fn): fn is Required<Branded> => (fn as Branded).healixOptions !== undefined)
    ?.healixOptions;
}
