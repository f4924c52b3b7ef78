import { optionsAmong, type Route, type Routes, routeName } from '@healix/core/adapter';
import type { Branded, ExpressRoute, Layer } from './express.ts';
import { handlesFor, methodsBeside } from './layers.ts';
import type { Spot, Way } from './ways.ts';

interface KnownDetails {
  readonly method: string;
  readonly pattern: string;
  readonly mounted: string;
  readonly deadlineAnswer?: boolean | undefined;
}

/** A route of Express as a target. */
export class Known {
  readonly route: Route;
  /** What Express leaves on the request; undefined for a mount that nobody can see into. */
  readonly express: ExpressRoute | undefined;
  readonly method: string;
  /** The whole pattern. */
  readonly pattern: string;
  /** Where it is mounted, as a pattern. */
  readonly mounted: string;
  readonly deadlineAnswer: boolean | undefined;
  /** There is no other way to the route: that it took a request says all. */
  single = false;
  /** The base URL that it was last reached by. */
  base: string | undefined = undefined;
  /** It has taken a request, and is found by its pattern from then on. */
  learned = false;
  /** What its pattern leads to is always it. */
  sure = true;
  /** Undefined where nobody can see it. */
  way: Way | undefined = undefined;
  /** What may take some requests before it. */
  rivals: readonly Spot[] = [];
  /** More than its pattern says decides what it takes. */
  particular = false;
  /** After how many changes of the tree the two above were found out. */
  seenAt = -1;

  constructor(
    route: Route,
    express: ExpressRoute | undefined,
    { method, pattern, mounted, deadlineAnswer }: KnownDetails,
  ) {
    this.route = route;
    this.express = express;
    this.method = method;
    this.pattern = pattern;
    this.mounted = mounted;
    this.deadlineAnswer = deadlineAnswer;
  }
}

/** The targets of an application's routes: one for each route, method and place where it is mounted. */
export class KnownRoutes {
  readonly #routes: Routes;
  readonly #known = new WeakMap<ExpressRoute | Layer, Map<string, Known>>();

  constructor(routes: Routes) {
    this.#routes = routes;
  }

  /**
   * A route, where `pattern` is the whole one.
   *
   * @param before what stands before it in its routers, and sets something for it
   */
  ofRoute(
    express: ExpressRoute,
    method: string,
    mounted: string,
    pattern: string,
    before: readonly Branded[],
  ): Known {
    return this.#find(express, `${method} ${pattern}`, () => {
      const handles = [...before, ...handlesFor(express, method)];
      const name = routeName(method, pattern, methodsBeside(express, method));
      const route = this.#routes.get(name, optionsAmong(handles));
      const { healixDeadlineAnswer: deadlineAnswer } =
        handles.findLast(({ healixDeadlineAnswer }) => healixDeadlineAnswer !== undefined) ?? {};
      return new Known(route, express, { method, pattern, mounted, deadlineAnswer });
    });
  }

  /** What answers below a mount without a route. */
  ofMount(layer: Layer, mounted: string): Known {
    return this.#find(layer, mounted, () => {
      const route = this.#routes.get(routeName('*', mounted));
      return new Known(route, undefined, { method: '*', pattern: mounted, mounted });
    });
  }

  #find(owner: ExpressRoute | Layer, key: string, make: () => Known): Known {
    const those = this.#known.get(owner) ?? new Map<string, Known>();
    this.#known.set(owner, those);
    const known = those.get(key) ?? make();
    those.set(key, known);
    return known;
  }
}
