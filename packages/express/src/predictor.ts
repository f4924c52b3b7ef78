import type { ServerResponse } from 'node:http';
import type { Routes } from '@healix/core/adapter';
import type { App, Layer, RoutedRequest, Router } from './express.ts';
import type { Family } from './family.ts';
import { type Known, KnownRoutes } from './known.ts';
import { routerOf } from './layers.ts';
import { Resolver } from './resolver.ts';
import { isParticular, rivalsOf, takes } from './rivals.ts';
import { Trie } from './trie.ts';
import { methodOf, pathOf, Visit } from './visit.ts';
import { below, search, type Way } from './ways.ts';

const MOST_REMEMBERED = 1_000;
const MOST_LEARNED = 10_000;

/**
 * Tells which route of an app will take a request before any has seen it, and which one did. Routes that have
 * taken requests are found by their patterns. For others the app's routers are searched, and of several that
 * match, the one that took such a request last time is the likely one again.
 */
export class Predictor {
  readonly #router: Router | undefined;
  readonly #family: Family;
  readonly #resolver: Resolver;
  readonly #learned = new Trie<Known>();
  #learnedCount = 0;
  readonly #remembered = new Map<string, Known | null>();
  readonly #ids = new WeakMap<Layer, number>();
  #nextId = 0;
  #layers: number;

  constructor(root: App, family: Family, routes: Routes) {
    this.#family = family;
    this.#resolver = new Resolver(root, family, new KnownRoutes(routes));
    this.#router = routerOf(root);
    this.#layers = this.#router?.stack.length ?? 0;
  }

  /** Undefined for a health endpoint, which is nobody's target. */
  predict(req: RoutedRequest, res: ServerResponse): Visit | undefined {
    const { stack = [] } = this.#router ?? {};
    if (stack.length !== this.#layers) {
      this.#layers = stack.length;
      this.#resolver.tree.look();
    }
    const path = pathOf(req);
    if (this.#resolver.tree.isHealth(req.method, path)) return undefined;
    const method = methodOf(req);
    const found = this.#learned.find(path, method);
    if (found?.sure && this.#isFor(found, path)) return new Visit(this, req, res, path, found, '');
    const ways = search(stack, path, req.method as string, this.#family);
    if (ways.length === 0) return new Visit(this, req, res, path, undefined, '');
    const candidates = `${method} ${ways.map((way) => this.#keyOf(way)).join()}`;
    const remembered = this.#remembered.get(candidates);
    const known = remembered === undefined ? this.#likely(ways, path, method) : (remembered ?? undefined);
    return new Visit(this, req, res, path, known, candidates);
  }

  /** The route that a request has reached. */
  at(req: RoutedRequest, res: ServerResponse): Visit {
    const path = pathOf(req);
    const reached = this.#resolver.resolve(new Visit(this, req, res, path, undefined, ''));
    return new Visit(this, req, res, path, reached, '');
  }

  /** What has taken a request; undefined: nothing. */
  taken(visit: Visit): Known | undefined {
    const { known } = visit;
    if (known !== undefined && Resolver.agrees(visit)) {
      if (!known.learned) this.#learn(known);
      return known;
    }
    const taken = this.#resolver.resolve(visit);
    if (taken?.express !== undefined && !taken.learned) this.#learn(taken);
    if (taken?.route !== known?.route) this.#correct(visit, taken);
    return taken;
  }

  /** Whether nothing else that can be seen would take a path that the pattern of a route leads to. */
  #isFor(known: Known, path: string): boolean {
    const { changes } = this.#resolver.tree;
    if (known.seenAt !== changes) {
      known.seenAt = changes;
      known.rivals = rivalsOf(known, this.#router?.stack ?? [], this.#family);
      known.particular = isParticular(known);
    }
    if (known.particular && known.way !== undefined && !takes(known.way, path)) return false;
    return known.rivals.length === 0 || !known.rivals.some((rival) => takes(rival, path));
  }

  /**
   * The first route, unless a mount before it is for some of its paths only: files or an app, rather than what
   * passes the requests on.
   */
  #likely(ways: readonly Way[], path: string, method: string): Known {
    const first = ways.findIndex(({ leaf }) => leaf.route !== undefined);
    if (first < 0) return this.#resolver.atWay(ways.at(-1) as Way, path, method);
    const route = this.#resolver.atWay(ways[first] as Way, path, method);
    const narrower = ways
      .slice(0, first)
      .findLast(({ mounts }) => below(mounts, route.pattern) === undefined);
    return narrower === undefined ? route : this.#resolver.atWay(narrower, path, method);
  }

  #learn(known: Known): void {
    known.learned = true;
    if (this.#learnedCount >= MOST_LEARNED) return;
    this.#learnedCount++;
    const there = this.#learned.add(known.pattern, known.method, known);
    if (there !== undefined && there.route !== known.route) there.sure = false;
  }

  #correct({ known, candidates, path, req }: Visit, taken: Known | undefined): void {
    if (candidates !== '') {
      if (this.#remembered.size >= MOST_REMEMBERED) this.#remembered.clear();
      this.#remembered.set(candidates, taken ?? null);
    } else if (known !== undefined && taken !== undefined) {
      const found = this.#learned.find(path, methodOf(req));
      if (found === known) known.sure = false;
    }
  }

  #keyOf({ mounts, leaf }: Way): string {
    return mounts.length === 0
      ? this.#idOf(leaf)
      : `${mounts.map((layer) => this.#idOf(layer)).join('.')}.${this.#idOf(leaf)}`;
  }

  #idOf(layer: Layer): string {
    const id = this.#ids.get(layer) ?? this.#nextId++;
    this.#ids.set(layer, id);
    return String(id);
  }
}
