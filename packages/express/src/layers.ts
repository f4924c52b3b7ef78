import type { App, Branded, ExpressRoute, Handle, Layer, Match, Router } from './express.ts';

const NONE: readonly Layer[] = [];

/** An app's own router, if it has one by now. Express 4 must not be asked for `app.router`. */
export function routerOf(app: App): Router | undefined {
  return typeof app.lazyrouter === 'function' ? app._router : app.router;
}

/** What an app's own router holds. */
export function stackOf(app: App): readonly Layer[] {
  return routerOf(app)?.stack ?? NONE;
}

/** What is mounted at a layer, where that can be seen: a router, or an app that stands in a router. */
export function mountedAt({ handle }: Layer): readonly Layer[] | undefined {
  if (Array.isArray(handle.stack)) return handle.stack;
  return isApp(handle) ? stackOf(handle) : undefined;
}

/** Whether an app that is mounted at a layer stands behind a function of Express's. */
export function hidesApp({ name }: Layer): boolean {
  return name === 'mounted_app';
}

function isApp({ handle, set }: Handle): boolean {
  return typeof handle === 'function' && typeof set === 'function';
}

/** Whether a layer takes whatever comes: most middlewares do. */
export function takesAll({ slash, regexp }: Layer): boolean {
  return slash === true || regexp?.fast_slash === true;
}

/** The part of `path` that a layer matches; undefined where it does not, or the path cannot be decoded. */
export function matchedBy(layer: Layer, path: string): string | undefined {
  if (takesAll(layer)) return '';
  return matchOf(layer, path)?.path;
}

export function matchOf(layer: Layer, path: string): Match | undefined {
  try {
    const match = layer.match(path);
    return match === true ? (layer as Match) : match || undefined;
  } catch {
    return undefined;
  }
}

/** What a mount that has matched `text` leaves of `path`; undefined where it ends inside a segment. */
export function restAfter(text: string, path: string): string | undefined {
  if (text === '') return path;
  if (!path.startsWith(text)) return undefined;
  if (path.length === text.length) return '/';
  const next = path[text.length];
  if (next === '/') return path.slice(text.length);
  return text.endsWith('/') || next === '.' ? `/${path.slice(text.length)}` : undefined;
}

/** Whether a route would take the method. Express has each answer HEAD that answers GET. */
export function takesMethod({ methods }: ExpressRoute, method: string): boolean {
  if (methods._all) return true;
  const name = method.toLowerCase();
  return methods[name] === true || (name === 'head' && methods.get === true);
}

/** How many methods a route was declared for, this one among them: no end of them where `all` alone takes it. */
export function methodsBeside({ methods }: ExpressRoute, method: string): number {
  const { _all, ...declared } = methods;
  const isDeclared = declared[method.toLowerCase()] || (method === 'GET' && declared.head);
  return isDeclared ? Object.keys(declared).length : Number.POSITIVE_INFINITY;
}

/** What a route has handle a method. */
export function handlesFor({ stack }: ExpressRoute, method: string): readonly Branded[] {
  const name = method.toLowerCase();
  return stack
    .filter(({ method: own }) => own === undefined || own === name || (name === 'head' && own === 'get'))
    .map(({ handle }) => handle);
}

/** Whether a layer is a middleware that sets something for all routes after it. */
export function setsForAll(layer: Layer): boolean {
  return layer.handle.healixOptions !== undefined && takesAll(layer);
}
