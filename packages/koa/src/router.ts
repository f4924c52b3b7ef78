import type { HealBrand } from '@healix/core/adapter';

/** What healix uses of @koa/router (10 to 15): routes, in the order of their declaration. */
export interface Router {
  readonly stack: readonly Layer[];
  readonly exclusive?: boolean;
  readonly host?: unknown;
  matchHost?(host: string): boolean;
}

/** A route, or, where it has no methods, a middleware of the router. */
export interface Layer {
  readonly path: string | RegExp;
  readonly methods: readonly string[];
  readonly stack: readonly HealBrand[];
  readonly regexp?: RegExp;
  match(path: string): boolean;
}

/** What @koa/router leaves on the context. */
export interface RoutedContext {
  readonly router?: Router;
  readonly matched?: readonly Layer[];
  readonly _matchedRoute?: string | RegExp;
}

/** The router behind a middleware, if it is one. */
export function routerOf(middleware: unknown): Router | undefined {
  const { router } = middleware as { router?: Partial<Router> };
  return Array.isArray(router?.stack) ? (router as Router) : undefined;
}

/** The route that took the request, as the router left it; undefined where only middlewares ran. */
export function takenLayer(
  { matched, _matchedRoute: path }: RoutedContext,
  method: string,
): Layer | undefined {
  if (path === undefined || matched === undefined) return undefined;
  return matched.find((layer) => layer.path === path && layer.methods.includes(method));
}

/**
 * The part of `path` before what the route matched: routers below koa-mount see a shorter path than the one
 * that was asked for. Undefined where the route matches no end of it.
 */
export function mountOf({ regexp }: Layer, path: string): string | undefined {
  for (let at = 0; at >= 0; at = path.indexOf('/', at + 1)) {
    if (regexp?.test(path.slice(at))) return path.slice(0, at);
  }
  return undefined;
}
