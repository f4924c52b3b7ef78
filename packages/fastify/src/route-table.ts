import type { Healing } from '@healix/core';
import { type Route, type Routes, readRouteOptions, routeName } from '@healix/core/adapter';
import type { FastifyContextConfig, FastifyRequest, RouteOptions } from 'fastify';

/** In a route's config: healing leaves it alone. */
export const LEFT_ALONE = Symbol.for('healix.left-alone.1');

type Config = FastifyContextConfig & { url?: string; [LEFT_ALONE]?: boolean };

/** Finds the target of a request by the config of its route, which is one object for the route's whole life. */
export class RouteTable {
  readonly #routes: Routes;
  readonly #runtime: Healing;
  readonly #known = new WeakMap<object, Map<string, Route | undefined>>();

  constructor(routes: Routes, runtime: Healing) {
    this.#routes = routes;
    this.#runtime = runtime;
  }

  /** Checks a route's options when it is declared. @throws ConfigError */
  check({ url, config }: RouteOptions): void {
    if (config?.healing !== undefined) readRouteOptions(config.healing, url);
  }

  /** Undefined for a route that healing leaves alone. */
  find(request: FastifyRequest): Route | undefined {
    const config = request.routeOptions.config as Config | undefined;
    if (config?.url === undefined) return this.#routes.unmatched;
    const methods = this.#known.get(config);
    const route = methods?.get(request.method);
    if (route !== undefined) return route;
    return methods?.has(request.method) ? undefined : this.#add(config, config.url, request.method);
  }

  #add(config: Config, url: string, method: string): Route | undefined {
    const methods = this.#known.get(config) ?? new Map();
    this.#known.set(config, methods);
    const name = routeName(method, url);
    const route = config[LEFT_ALONE] ? undefined : this.#routes.get(name, this.#optionsOf(config, name));
    methods.set(method, route);
    return route;
  }

  /** Routes declared before healing was registered were not checked: a wrong setting there is told of, once. */
  #optionsOf({ healing }: Config, name: string) {
    if (healing === undefined) return undefined;
    try {
      return readRouteOptions(healing, name);
    } catch (error) {
      this.#runtime.reportCallback(name, 'config.healing', error);
      return undefined;
    }
  }
}
