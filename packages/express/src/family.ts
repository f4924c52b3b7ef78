import type { App, Layer } from './express.ts';
import { matchedBy, mountedAt, stackOf } from './layers.ts';

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

  #learn(app: App, parent: App): void {
    this.#known.add(app);
    const paths = [app.mountpath].flat(Number.POSITIVE_INFINITY).filter((path) => typeof path === 'string');
    for (const layer of stackOf(parent)) {
      if (layer.name !== 'mounted_app' || !paths.some((path) => fits(layer, path))) continue;
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
