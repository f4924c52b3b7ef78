import { optionsAmong, type Route, type Routes, routeName } from '@healix/core/adapter';
import type { Branded } from './brands.ts';
import type { KoaContext, KoaInternals } from './context.ts';
import { healthPathOf } from './health-endpoint.ts';
import { type Layer, mountOf, type RoutedContext, type Router, routerOf, takenLayer } from './router.ts';

const MOST_REMEMBERED = 1_000;
const MOST_MOUNTS = 100;

/** A router that requests have gone through, although no look at the application shows it. */
interface Mount {
  readonly router: Router;
  /** What comes before its paths. */
  readonly at: string;
}

/**
 * Tells which route will take a request, before any of them has seen it, from the routers of the application;
 * and which one did, once it is over. Of several routes that match, the one that took the request last time is
 * the likely one again.
 */
export class Predictor {
  readonly #routes: Routes;
  readonly #known = new WeakMap<Layer, Map<string, Route>>();
  readonly #remembered = new Map<string, Layer>();
  readonly #ids = new WeakMap<Layer, number>();
  #nextId = 0;
  #seen = -1;
  #routers: Router[] = [];
  readonly #mounts: Mount[] = [];
  #healthPaths: string[] = [];

  constructor(routes: Routes) {
    this.#routes = routes;
  }

  /** Undefined for a health endpoint, which is nobody's target. */
  predict(ctx: KoaContext): Route | undefined {
    const { app, path, method } = ctx;
    const { middleware = [] } = app as KoaInternals;
    if (middleware.length !== this.#seen) this.#look(middleware);
    if (this.#healthPaths.length > 0 && this.#isHealth(ctx)) return undefined;
    for (const router of this.#routers) {
      const layer = this.#match(router, path, method, ctx);
      if (layer !== undefined) return this.#routeOf(layer, method, '');
    }
    return this.#mounts.length === 0 ? this.#routes.unmatched : this.#predictMounted(ctx);
  }

  /** The route that a request has really gone to. */
  taken(ctx: KoaContext, predicted: Route): Route {
    const routed = ctx as RoutedContext;
    if (routed._matchedRoute === (predicted.origin as Layer | undefined)?.path) return predicted;
    const method = ctx.req.method as string;
    const layer = takenLayer(routed, method);
    if (layer === undefined || this.#known.get(layer)?.get(method) === predicted) return predicted;
    const mount = mountOf(layer, fullPath(ctx)) ?? '';
    const route = this.#routeOf(layer, method, mount);
    if (predicted === this.#routes.unmatched) this.#learn(routed.router, mount);
    else if (route !== predicted) this.#remember(routed, layer, method);
    return route;
  }

  #predictMounted(ctx: KoaContext): Route {
    const { path, method } = ctx;
    for (const { router, at } of this.#mounts) {
      if (!path.startsWith(at)) continue;
      const layer = this.#match(router, path.slice(at.length) || '/', method, ctx);
      if (layer !== undefined) return this.#routeOf(layer, method, at);
    }
    return this.#routes.unmatched;
  }

  #learn(router: Router | undefined, at: string): void {
    if (router === undefined || this.#mounts.length >= MOST_MOUNTS) return;
    if (this.#mounts.some((mount) => mount.router === router && mount.at === at)) return;
    this.#mounts.push({ router, at });
  }

  #match(router: Router, path: string, method: string, ctx: KoaContext): Layer | undefined {
    let found: Layer | undefined;
    let others: Layer[] | undefined;
    for (const layer of router.stack) {
      if (!layer.methods.includes(method) || !layer.match(path)) continue;
      if (found === undefined) found = layer;
      else if (others === undefined) others = [found, layer];
      else others.push(layer);
    }
    if (found === undefined || (router.host !== undefined && !isHost(router, ctx))) return undefined;
    if (others === undefined) return found;
    return this.#remembered.get(this.#keyOf(others)) ?? (router.exclusive ? others.at(-1) : found);
  }

  #remember({ matched = [] }: RoutedContext, layer: Layer, method: string): void {
    const candidates = matched.filter(({ methods }) => methods.includes(method));
    if (candidates.length < 2 || this.#remembered.size >= MOST_REMEMBERED) return;
    this.#remembered.set(this.#keyOf(candidates), layer);
  }

  #keyOf(layers: readonly Layer[]): string {
    return layers.map((layer) => this.#idOf(layer)).join();
  }

  #idOf(layer: Layer): number {
    const id = this.#ids.get(layer) ?? this.#nextId++;
    this.#ids.set(layer, id);
    return id;
  }

  #routeOf(layer: Layer, method: string, mount: string): Route {
    const key = mount === '' ? method : `${method} ${mount}`;
    return this.#known.get(layer)?.get(key) ?? this.#add(layer, method, mount, key);
  }

  #add(layer: Layer, method: string, mount: string, key: string): Route {
    const byMethod = this.#known.get(layer) ?? new Map<string, Route>();
    this.#known.set(layer, byMethod);
    const name = routeName(method, mount + layer.path, layer.methods.length);
    const route = this.#routes.get(name, optionsAmong(layer.stack), layer);
    byMethod.set(key, route);
    return route;
  }

  #look(middleware: readonly unknown[]): void {
    this.#seen = middleware.length;
    this.#routers = middleware.map(routerOf).filter((router) => router !== undefined);
    this.#healthPaths = middleware
      .map((fn) => (fn as Branded).healixHealth)
      .filter((path) => path !== undefined);
  }

  #isHealth(ctx: KoaContext): boolean {
    return this.#healthPaths.some((root) => healthPathOf(root, ctx) !== undefined);
  }
}

/** The path that was asked for, also within koa-mount, which cuts it. */
function fullPath(ctx: KoaContext): string {
  const { mountPath, originalUrl } = ctx as { mountPath?: string; originalUrl?: string };
  return mountPath === undefined ? ctx.path : ((originalUrl ?? ctx.path).split('?', 1)[0] as string);
}

function isHost(router: Router, ctx: KoaContext): boolean {
  return router.matchHost?.((ctx as unknown as { host: string }).host) ?? true;
}
