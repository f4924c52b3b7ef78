import type { App, ExpressRoute, RoutedRequest } from './express.ts';
import type { Family } from './family.ts';
import type { Known, KnownRoutes } from './known.ts';
import { matchedBy, stackOf } from './layers.ts';
import { joined, patternOf, routePattern } from './patterns.ts';
import { Tree } from './tree.ts';
import { methodOf, type Visit } from './visit.ts';
import { below, type Course, deepestMounts, follow, type Way } from './ways.ts';

const RAREST_LOOK = 1_024;

/** Tells what has really taken a request, from what Express leaves on it. */
export class Resolver {
  readonly tree: Tree;
  readonly #root: App;
  readonly #family: Family;
  readonly #known: KnownRoutes;
  /** How many requests of routes that cannot be seen go by between two looks for them. */
  #stride = 1;
  #unseen = 0;

  constructor(root: App, family: Family, known: KnownRoutes) {
    this.#root = root;
    this.#family = family;
    this.#known = known;
    this.tree = new Tree(root, family);
  }

  /** Whether what was foretold is what came: quick, and right. A negative answer may be wrong. */
  static agrees({ req, res, known }: Visit): boolean {
    const { route } = req;
    if (known === undefined || route === undefined || route !== known.express) return false;
    return (known.single || known.base === req.baseUrl) && !hasFallenThrough(req, res.statusCode);
  }

  /** Undefined where nothing has. */
  resolve(visit: Visit): Known | undefined {
    const { req, res } = visit;
    if (hasFallenThrough(req, res.statusCode)) return undefined;
    const { route } = req;
    if (route === undefined) {
      if (this.#isNew(req.app)) this.tree.look();
      return this.#unrouted(visit);
    }
    const ways = this.#waysTo(route, req);
    return ways === undefined ? this.#hidden(route, visit) : this.#visible(route, ways, visit);
  }

  /** A way that is seen as a candidate. */
  atWay(way: Way, path: string, method: string): Known {
    const { mounts, leaf } = way;
    const course = follow(mounts, path);
    const mounted = course?.pattern ?? '';
    if (leaf.route === undefined) return this.#known.ofMount(leaf, mounted);
    return this.#at(leaf.route, method, way, mounted, course?.rest ?? path);
  }

  #at(route: ExpressRoute, method: string, way: Way, mounted: string, rest: string): Known {
    const { leaf, passed } = way;
    const pattern = joined(mounted, routePattern(route, leaf, rest));
    const known = this.#known.ofRoute(route, method, mounted, pattern, passed);
    known.way ??= way;
    known.single = this.tree.waysTo(route)?.length === 1 && !Array.isArray(route.path);
    return known;
  }

  #visible(route: ExpressRoute, ways: readonly Way[], visit: Visit): Known {
    const { req, path } = visit;
    const taken = this.#wayTaken(ways, req, path);
    const known = this.#at(route, methodOf(req), taken.way, taken.course.pattern, taken.course.rest);
    known.base = req.baseUrl;
    return known;
  }

  /** By the base URL where Express has kept it (not after an error), else by the path. */
  #wayTaken(ways: readonly Way[], req: RoutedRequest, path: string): { way: Way; course: Course } {
    const { baseUrl } = req;
    let byBase: { way: Way; course: Course } | undefined;
    let byPath: { way: Way; course: Course } | undefined;
    for (const way of ways) {
      const course = baseUrl === undefined ? undefined : follow(way.mounts, baseUrl || '/');
      if (course !== undefined && course.base === baseUrl) {
        const rest = path.startsWith(course.base) ? path.slice(course.base.length) || '/' : path;
        const found = { way, course: { ...course, rest } };
        if (matchedBy(way.leaf, rest) !== undefined) return found;
        byBase ??= found;
      } else if (byPath === undefined) {
        const whole = follow(way.mounts, path);
        if (whole && matchedBy(way.leaf, whole.rest) !== undefined) byPath = { way, course: whole };
      }
    }
    return byPath ?? byBase ?? blind(ways[0] as Way, path);
  }

  /** A route behind a function: of where it is mounted, only the outermost part may be known. */
  #hidden(route: ExpressRoute, { req, known }: Visit): Known {
    const { baseUrl } = req;
    if (!baseUrl && known?.express === route) return known;
    const method = methodOf(req);
    const mounted = baseUrl ? this.#mountedAt(baseUrl) : known?.express === undefined ? known?.mounted : '';
    const found = this.#known.ofRoute(
      route,
      method,
      mounted ?? '',
      joined(mounted ?? '', routePattern(route, undefined, '')),
      [],
    );
    found.base = baseUrl;
    return found;
  }

  #mountedAt(baseUrl: string): string {
    const course = follow(deepestMounts(stackOf(this.#root), baseUrl, this.#family), baseUrl);
    if (course === undefined) return '/*';
    return course.base === baseUrl ? course.pattern : `${course.pattern}/*`;
  }

  /** Something has answered, or failed, before any route was reached: on the way to the one foretold, or not. */
  #unrouted({ req, res, known }: Visit): Known | undefined {
    const mount = this.#byMount(req);
    const isOnTheWay = mount === undefined || known?.pattern === mount.pattern;
    if (known === undefined || res.statusCode === 404) return mount;
    return isOnTheWay || known.pattern.startsWith(`${mount.pattern}/`) ? known : mount;
  }

  #byMount({ baseUrl }: RoutedRequest): Known | undefined {
    if (!baseUrl) return undefined;
    const mounts = deepestMounts(stackOf(this.#root), baseUrl, this.#family);
    const leaf = mounts.at(-1);
    const pattern = follow(mounts, baseUrl)?.pattern;
    return leaf && pattern ? this.#known.ofMount(leaf, pattern) : undefined;
  }

  #waysTo(route: ExpressRoute, { app }: RoutedRequest): readonly Way[] | undefined {
    const ways = this.tree.waysTo(route);
    if (ways !== undefined) return ways;
    if (!this.#isNew(app) && this.#unseen++ % this.#stride !== 0) return undefined;
    this.tree.look();
    const found = this.tree.waysTo(route);
    this.#stride = found === undefined ? Math.min(this.#stride * 2, RAREST_LOOK) : 1;
    return found;
  }

  /** Whether an app is seen to take a request for the first time. */
  #isNew(app: App): boolean {
    if (this.#family.knows(app)) return false;
    this.#family.rootOf(app);
    return true;
  }
}

/** Express has given up on the request, and said so: the last route, if any, had passed it on. */
function hasFallenThrough({ next }: RoutedRequest, status: number): boolean {
  return next === undefined && status === 404;
}

/** Nothing tells how the route was reached: the first way stands for all. */
function blind(way: Way, path: string): { way: Way; course: Course } {
  const pattern = way.mounts.map((layer) => patternOf(layer, '')).join('');
  return { way, course: { pattern, base: '', rest: below(way.mounts, path) ?? path } };
}
