import type { TargetOptions } from '../config/schema.ts';
import { mergeOptions } from '../config/settings.ts';
import type { Target } from '../target.ts';

/** A route as a target: what it is called, and what is set beside it. */
export interface Route {
  readonly name: string;
  readonly options: TargetOptions | undefined;
  /** The framework's own object that the name was first made for; the adapter's to use. */
  readonly origin?: unknown;
  /** @internal The target itself, once it is found. */
  target?: Target | undefined;
}

const UNMATCHED = 'route:unmatched';
const OTHER = 'route:other';

/** Nobody lists more methods than these by hand: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS. */
const MOST_METHODS = 7;

/**
 * The target of a route: `route:GET /users/:id`. HEAD shares GET's. `*` stands for all methods: a route that takes
 * whatever comes has one name, or else whoever tries methods would make dozens.
 *
 * @param methods how many methods the route was declared for
 */
export function routeName(method: string, pattern: string, methods = 1): string {
  if (methods > MOST_METHODS) return `route:* ${pattern}`;
  return `route:${method === 'HEAD' ? 'GET' : method} ${pattern}`;
}

/** Settings given to an adapter lie below those given beside a route. */
export interface RoutesOptions {
  /** Names past this number share `route:other`. Default: 500. */
  maxNames?: number | undefined;
  /** What every route of the adapter starts from. */
  defaults?: TargetOptions | undefined;
}

/** The routes of one adapter, bounded in number. The first that takes a name says what is set for it. */
export class Routes {
  /** For requests that no route takes. Its circuit never opens: one bad path must not close all others. */
  readonly unmatched: Route;
  readonly #other: Route;
  readonly #maxNames: number;
  readonly #defaults: TargetOptions | undefined;
  readonly #byName = new Map<string, Route>();

  constructor({ maxNames = 500, defaults }: RoutesOptions = {}) {
    this.#maxNames = maxNames;
    this.#defaults = defaults;
    this.#other = { name: OTHER, options: defaults, origin: undefined, target: undefined };
    const options = over(defaults, { policy: { neverOpen: true } });
    this.unmatched = { name: UNMATCHED, options, origin: undefined, target: undefined };
  }

  /** The route of that name; `options` and `origin` are for one that is new. */
  get(name: string, options?: TargetOptions, origin?: unknown): Route {
    return this.#byName.get(name) ?? this.#add(name, options, origin);
  }

  /** Whether the route is one that many requests share for want of a name of their own. */
  isCatchAll(route: Route): boolean {
    return route === this.unmatched || route === this.#other;
  }

  #add(name: string, options: TargetOptions | undefined, origin: unknown): Route {
    if (name === UNMATCHED) return this.unmatched;
    if (name === OTHER || this.#byName.size >= this.#maxNames) return this.#other;
    // A request that no route takes, but that has a name of its own, is healed like any other.
    const own = options === this.unmatched.options ? undefined : options;
    const route: Route = {
      name,
      options: own === undefined ? this.#defaults : over(this.#defaults, own),
      origin,
      target: undefined,
    };
    this.#byName.set(name, route);
    return route;
  }
}

function over(defaults: TargetOptions | undefined, options: TargetOptions): TargetOptions {
  return defaults === undefined ? options : mergeOptions({ ...defaults }, options);
}
