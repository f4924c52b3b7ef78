import { askedOfHealth } from '@healix/core/adapter';
import type { App, Branded, ExpressRoute, Layer } from './express.ts';
import type { Family } from './family.ts';
import { hidesApp, setsForAll, stackOf, takesAll } from './layers.ts';
import { below, type Spot, type Way } from './ways.ts';

const DEEPEST = 16;
const MOST_WAYS = 20_000;

/** All that can be seen of an app's routes, as it was when last looked at. */
export class Tree {
  readonly #app: App;
  readonly #family: Family;
  #ways = new Map<ExpressRoute, Way[]>();
  #health: Spot[] = [];
  /** All that sets something for the routes after it. */
  #passed = new Set<Branded['healixOptions']>();
  #size = -1;
  #found = 0;
  /** Whether there are apps that have not been seen to take a request where they are mounted. */
  hidesApps = false;
  /** How often a look has shown other routes than the one before. */
  changes = 0;

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
    this.#passed = new Set();
    this.#size = 0;
    this.#found = 0;
    this.hidesApps = false;
    this.#visit(stackOf(this.#app), [], []);
    if (this.#size === before) return false;
    this.changes++;
    return true;
  }

  /** Every way to a route that can be seen. */
  waysTo(route: ExpressRoute): readonly Way[] | undefined {
    return this.#ways.get(route);
  }

  /** Whether the routes after a middleware have its settings. */
  hasPassed({ healixOptions }: Branded): boolean {
    return this.#passed.has(healixOptions);
  }

  /** Whether a health endpoint will answer. */
  isHealth(method: string | undefined, path: string): boolean {
    for (const way of this.#health) {
      const rest = below(way.mounts, path);
      if (rest !== undefined && askedOfHealth(method, rest) !== undefined) return true;
    }
    return false;
  }

  #visit(
    stack: readonly Layer[],
    mounts: readonly Layer[],
    passedBefore: readonly Branded[],
    depth = 0,
  ): void {
    this.#size += stack.length;
    let passed = passedBefore;
    for (const layer of stack) {
      const { route, handle } = layer;
      if (route !== undefined) this.#add(route, { mounts, leaf: layer, passed });
      else if (handle.healixHealth) this.#health.push({ mounts: [...mounts, layer], leaf: layer });
      else if (setsForAll(layer)) {
        passed = [...passed, handle];
        this.#passed.add(handle.healixOptions);
      } else {
        const inner = depth < DEEPEST ? this.#family.behind(layer) : undefined;
        const around = takesAll(layer) ? mounts : [...mounts, layer];
        if (inner) this.#visit(inner, around, passed, depth + 1);
        else if (hidesApp(layer)) this.hidesApps = true;
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
