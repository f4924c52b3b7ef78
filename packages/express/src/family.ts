import type { App, Layer } from './express.ts';
import { hidesApp, matchedBy, mountedAt, restAfter, stackOf } from './layers.ts';

const DEEPEST = 16;
const NO_APPS: readonly App[] = [];

/**
 * Apps that are mounted in apps. Express hides them behind a function: they become known when one of them is
 * seen to take a request.
 */
export class Family {
  readonly #known = new WeakSet<App>();
  readonly #behind = new WeakMap<Layer, App[]>();

  /** The outermost app. What lies between becomes known. */
  rootOf(app: App): App {
    let root = app;
    for (let { parent } = app; parent !== undefined; { parent } = root) {
      if (!this.#known.has(root)) this.#learn(root, parent);
      root = parent;
    }
    return root;
  }

  /**
   * Learns where else than at its last mount, the only one that Express keeps, an app has taken a request: where just
   * one place on the way from `root` along `baseUrl` may hold it. False where that is nothing new.
   */
  meet(app: App, root: App, baseUrl: string): boolean {
    const { parent } = app;
    if (parent === undefined) return false;
    const isParentNew = this.meet(parent, root, baseUrl);
    const [place, ...others] = this.#placesFor(app, parent, stackOf(root), baseUrl);
    if (place === undefined || others.length > 0 || this.#behind.has(place)) return isParentNew;
    this.#behind.set(place, [app]);
    return true;
  }

  knows(app: App): boolean {
    return app.parent === undefined || (this.#known.has(app) && this.knows(app.parent));
  }

  /** All that may take a request behind a layer: a router's layers, or those of an app. */
  behind(layer: Layer): readonly Layer[] | undefined {
    const visible = mountedAt(layer);
    if (visible !== undefined) return visible;
    const apps = this.#behind.get(layer) ?? NO_APPS;
    if (apps.length < 2) return apps[0] && stackOf(apps[0]);
    return apps.flatMap(stackOf);
  }

  #placesFor(app: App, parent: App, stack: readonly Layer[], path: string, depth = 0): readonly Layer[] {
    const places: Layer[] = [];
    for (const layer of stack) {
      const text = matchedBy(layer, path);
      const rest = text === undefined ? undefined : restAfter(text, path);
      if (rest === undefined) continue;
      if (stack === stackOf(parent) && this.#mayHold(layer, app)) places.push(layer);
      const inner = depth < DEEPEST ? this.behind(layer) : undefined;
      if (inner !== undefined) places.push(...this.#placesFor(app, parent, inner, rest, depth + 1));
    }
    return places;
  }

  #mayHold(layer: Layer, app: App): boolean {
    return hidesApp(layer) && this.#behind.get(layer)?.includes(app) !== false;
  }

  #learn(app: App, parent: App): void {
    this.#known.add(app);
    const paths = [app.mountpath].flat(Number.POSITIVE_INFINITY).filter((path) => typeof path === 'string');
    for (const layer of stackOf(parent)) {
      if (!hidesApp(layer) || !paths.some((path) => fits(layer, path))) continue;
      const apps = this.#behind.get(layer);
      if (apps === undefined) this.#behind.set(layer, [app]);
      else apps.push(app);
    }
  }
}

/** Whether a layer was declared with such a path: it matches one made from it, to the end. */
function fits(layer: Layer, path: string): boolean {
  const example = path.replace(/[:*](\w+)/g, '$1').replace(/\/$/, '');
  return matchedBy(layer, example || '/') === example;
}
