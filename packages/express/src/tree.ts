import { HEALTH_PATHS } from '@healix/core/adapter';
import type { App, ExpressRoute, Layer } from './express.ts';
import type { Family } from './family.ts';
import { stackOf, takesAll } from './layers.ts';
import { below, type Way } from './ways.ts';

const DEEPEST = 16;
const MOST_WAYS = 20_000;

/** All that can be seen of an app's routes, as it was when last looked at. */
export class Tree {
  readonly #app: App;
  readonly #family: Family;
  #ways = new Map<ExpressRoute, Way[]>();
  #health: Way[] = [];
  #size = -1;
  #found = 0;

  constructor(app: App, family: Family) {
    this.#app = app;
    this.#family = family;
    this.look();
  }

  /** Looks at the routes again. False where nothing has come or gone. */
  look(): boolean {
    const before = this.#size;
    this.#ways = new Map();
    this.#health = [];
    this.#size = 0;
    this.#found = 0;
    this.#visit(stackOf(this.#app), [], 0);
    return this.#size !== before;
  }

  /** Every way to a route that can be seen. */
  waysTo(route: ExpressRoute): readonly Way[] | undefined {
    return this.#ways.get(route);
  }

  /** Whether a health endpoint will answer. */
  isHealth(path: string): boolean {
    for (const way of this.#health) {
      const rest = below(way.mounts, path);
      if (rest !== undefined && (HEALTH_PATHS as readonly string[]).includes(rest)) return true;
    }
    return false;
  }

  #visit(stack: readonly Layer[], mounts: readonly Layer[], depth: number): void {
    this.#size += stack.length;
    for (const layer of stack) {
      const { route, handle } = layer;
      if (route !== undefined) this.#add(route, { mounts, leaf: layer });
      else if (handle.healixHealth) this.#health.push({ mounts: [...mounts, layer], leaf: layer });
      else {
        const inner = depth < DEEPEST ? this.#family.behind(layer) : undefined;
        if (inner) this.#visit(inner, takesAll(layer) ? mounts : [...mounts, layer], depth + 1);
      }
    }
  }

  #add(route: ExpressRoute, way: Way): void {
    if (this.#found++ > MOST_WAYS) return;
    const ways = this.#ways.get(route);
    if (ways === undefined) this.#ways.set(route, [way]);
    else ways.push(way);
  }
}
