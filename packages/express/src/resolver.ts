import type { App, ExpressRoute, RoutedRequest } from './express.ts';
import type { Family } from './family.ts';
import type { Known, KnownRoutes } from './known.ts';
import { matchedBy, stackOf } from './layers.ts';
import { joined, patternOf, routePattern } from './patterns.ts';
import { Tree } from './tree.ts';
import { methodOf, type Visit } from './visit.ts';
import { below, type Course, deepestMounts, follow, type Way } from './ways.ts';

const RAREST_LOOK = 1_024;

/** The way that a request took to a route. */
interface Taken {
  readonly way: Way;
  readonly course: Course;
}

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
      const isNew = this.#isNew(req.app);
      if (this.#isMet(req) || isNew) this.tree.look();
      return this.#unrouted(visit);
    }
    const taken = this.#taken(route, visit);
    return taken === undefined ? this.#hidden(route, visit) : this.#visible(route, taken, visit);
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

  #visible(route: ExpressRoute, { way, course }: Taken, { req }: Visit): Known {
    const known = this.#at(route, methodOf(req), way, course.pattern, course.rest);
    known.base = req.baseUrl;
    return known;
  }

  /** The way that was taken to a route, where it can be seen. */
  #taken(route: ExpressRoute, visit: Visit): Taken | undefined {
    const ways = this.#waysTo(route, visit.req);
    const taken = ways && wayTaken(ways, visit);
    if (taken !== undefined || ways === undefined || !this.#isMet(visit.req)) return taken;
    this.tree.look();
    return wayTaken(this.tree.waysTo(route) ?? ways, visit);
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

  /** Whether an app is seen to take a request at a mount where it was not known to be. */
  #isMet({ app, baseUrl }: RoutedRequest): boolean {
    return this.tree.hidesApps && !!baseUrl && this.#family.meet(app, this.#root, baseUrl);
  }
}

/** Express has given up on the request, and said so: the last route, if any, had passed it on. */
function hasFallenThrough({ next }: RoutedRequest, status: number): boolean {
  return next === undefined && status === 404;
}

/** By the base URL where Express has kept it (not after an error), else by the path. Undefined: by none of the ways. */
function wayTaken(ways: readonly Way[], { req, path, known }: Visit): Taken | undefined {
  const { baseUrl } = req;
  let byBase: Taken | undefined;
  let byPath: Taken | undefined;
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
  const found = byPath ?? byBase;
  if (found !== undefined || baseUrl) return found;
  const first = blind(ways[0] as Way, path);
  return isElsewhere(known, first.course.pattern) ? undefined : first;
}

/** Whether a mount has led a request on that is no part of such a pattern. */
function isElsewhere(known: Known | undefined, pattern: string): boolean {
  return known !== undefined && known.express === undefined && !`${pattern}/`.startsWith(`${known.mounted}/`);
}

/** Nothing tells how the route was reached: the first way stands for all. */
function blind(way: Way, path: string): Taken {
  const pattern = way.mounts.map((layer) => patternOf(layer, '')).join('');
  return { way, course: { pattern, base: '', rest: below(way.mounts, path) ?? path } };
}
