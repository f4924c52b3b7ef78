import type { Healing } from '@healix/core';
import { type Route, type Routes, readRouteOptions, routeName } from '@healix/core/adapter';
import type { FastifyContextConfig, FastifyRequest, RouteOptions } from 'fastify';

/** In a route's config: healing leaves it alone. */
export const LEFT_ALONE = Symbol.for('healix.left-alone.1');

/** In a route's config: what beside method and pattern tells it from other routes. */
const CONSTRAINTS = Symbol('healix.constraints');

type Config = FastifyContextConfig & {
  url?: string;
  method?: string | string[];
  [LEFT_ALONE]?: boolean;
  [CONSTRAINTS]?: string;
};
/** The routes that a config stands for, by method. */
type Methods = Map<string, Route | undefined>;
type Keyed<T> = Record<symbol, T | undefined>;

/** Finds the target of a request by the config of its route, which is one object for the route's whole life. */
export class RouteTable {
  readonly #routes: Routes;
  readonly #runtime: Healing;
  /** Where a config keeps its routes: a property is found at less cost than a WeakMap's entry. */
  readonly #methodsKey = Symbol('healix.routes');
  /** What was said beside routes that answer GET, by the name that those for HEAD share. */
  readonly #healingOfGet = new Map<string, FastifyContextConfig['healing']>();
  /** Where a request keeps what it knows of its route, once that is found out. */
  #contextKey: symbol | undefined;

  constructor(routes: Routes, runtime: Healing) {
    this.#routes = routes;
    this.#runtime = runtime;
  }

  /** Looks at a route when it is declared. @throws ConfigError for a wrong setting */
  declare(route: RouteOptions): void {
    const { url, method, config, constraints = {} } = route;
    if (config?.healing !== undefined) readRouteOptions(config.healing, url);
    const told = Object.entries(constraints).map(([name, value]) => `${name} ${value}`);
    const constraint = told.length > 0 ? told.join(', ') : undefined;
    if (constraint !== undefined) {
      route.config = { ...config, [CONSTRAINTS]: constraint } as FastifyContextConfig;
    }
    const declared = [method].flat();
    if (declared.includes('GET')) {
      this.#healingOfGet.set(nameOf('GET', url, constraint, declared), config?.healing);
    }
  }

  /** Undefined for a route that healing leaves alone. */
  find(request: FastifyRequest): Route | undefined {
    const config = this.#configOf(request);
    if (config?.url === undefined) return this.#routes.unmatched;
    const methods = (config as Keyed<Methods>)[this.#methodsKey];
    const route = methods?.get(request.method);
    if (route !== undefined) return route;
    return methods?.has(request.method) ? undefined : this.#add(config, config.url, request.method);
  }

  /**
   * `request.routeOptions` gathers an object of a dozen properties at each read, at a fifth of what healing
   * costs in all. What lies behind it is read instead, where that has been seen to hold the same config.
   */
  #configOf(request: FastifyRequest): Config | undefined {
    const key = this.#contextKey;
    const context = key === undefined ? undefined : (request as unknown as Keyed<{ config?: Config }>)[key];
    return context === undefined ? this.#learnContext(request) : context.config;
  }

  #learnContext(request: FastifyRequest): Config | undefined {
    const { config } = request.routeOptions;
    const holds = (key: symbol) =>
      (request as unknown as Keyed<{ config?: unknown }>)[key]?.config === config;
    if (config !== undefined) this.#contextKey = Object.getOwnPropertySymbols(request).find(holds);
    return config;
  }

  #add(config: Config, url: string, method: string): Route | undefined {
    const methods = (config as Keyed<Methods>)[this.#methodsKey] ?? new Map();
    Object.defineProperty(config, this.#methodsKey, { value: methods });
    const { [CONSTRAINTS]: constraint, method: declared } = config;
    const name = nameOf(method, url, constraint, [declared ?? method].flat());
    const healing = this.#healingOfGet.has(name) ? this.#healingOfGet.get(name) : config.healing;
    const route = config[LEFT_ALONE] ? undefined : this.#routes.get(name, this.#optionsOf(healing, name));
    methods.set(method, route);
    return route;
  }

  /** Routes declared before healing was registered were not checked: a wrong setting there is told of, once. */
  #optionsOf(healing: Config['healing'], name: string) {
    if (healing === undefined) return undefined;
    try {
      return readRouteOptions(healing, name);
    } catch (error) {
      this.#runtime.reportCallback(name, 'config.healing', error);
      return undefined;
    }
  }
}

function nameOf(
  method: string,
  url: string,
  constraint: string | undefined,
  declared: readonly string[],
): string {
  return routeName(method, constraint === undefined ? url : `${url} (${constraint})`, declared.length);
}
