import { isDeepStrictEqual } from 'node:util';
import { ConfigError } from '../errors.ts';
import type { TargetOptions, TargetSettings, TargetUpdate } from './schema.ts';
import { checkTargetOptions, mergeOptions, resolveTarget, withoutNulls } from './settings.ts';

/** Settings that every target of a kind starts from, and what they are when nothing is laid over them. */
export interface BaseSettings {
  readonly layers: readonly TargetOptions[];
  readonly settings: TargetSettings;
}

/**
 * The settings of one target, in their order of strength: what its name gives it, what its route says, what
 * was updated at run time, what recovery lays over it for a while.
 */
export class SettingsStack {
  readonly #name: string;
  readonly #base: BaseSettings;
  readonly #routesSeen = new WeakSet<object>();
  #route: TargetOptions | undefined;
  #updates: TargetOptions | undefined;
  #overlays: ReadonlyMap<string, TargetOptions> | undefined;
  settings: TargetSettings;
  version = 1;

  constructor(name: string, base: BaseSettings) {
    this.#name = name;
    this.#base = base;
    this.settings = base.settings;
  }

  /** What was changed at run time, which would be lost with the target. */
  get updates(): TargetOptions | undefined {
    return this.#updates;
  }

  /** What stands beside the call or the route, in one place or in several: the last word on each setting counts. */
  setRoute(options: TargetOptions): boolean {
    if (this.#routesSeen.has(options)) return false;
    checkTargetOptions(options, this.#name);
    const before = this.#route;
    const after = mergeOptions(before ?? {}, options);
    this.#routesSeen.add(options);
    if (isDeepStrictEqual(bySource(before ?? {}), bySource(after))) return false;
    this.#route = after;
    return this.#publish(() => {
      this.#route = before;
    });
  }

  update(options: TargetUpdate): boolean {
    if (typeof options !== 'object' || options === null)
      throw new ConfigError(this.#name, options, 'an object');
    checkTargetOptions(withoutNulls(options), this.#name);
    const before = this.#updates;
    const after = withoutNulls(mergeOptions(before ?? {}, options));
    if (isDeepStrictEqual(before ?? {}, after)) return false;
    this.#updates = after;
    return this.#publish(() => {
      this.#updates = before;
    });
  }

  /** Puts in force what had been updated before; what was written beside routes stays. */
  restore(updates: TargetOptions | undefined): boolean {
    const before = this.#updates;
    if (isDeepStrictEqual(before ?? {}, updates ?? {})) return false;
    this.#updates = updates;
    return this.#publish(() => {
      this.#updates = before;
    });
  }

  /** What recovery level `key` changes, or undefined to take it back. */
  overlay(key: string, options: TargetOptions | undefined): boolean {
    const before = this.#overlays;
    if (options === undefined && !before?.has(key)) return false;
    const overlays = new Map(before);
    if (options === undefined) overlays.delete(key);
    else overlays.set(key, options);
    this.#overlays = overlays;
    return this.#publish(() => {
      this.#overlays = before;
    });
  }

  /** Settings that do not go together with the others are taken back by `undo`. */
  #publish(undo: () => void): boolean {
    const over = [this.#route, this.#updates, ...(this.#overlays?.values() ?? [])];
    const layers = [...this.#base.layers, ...over.filter((layer) => layer !== undefined)];
    try {
      this.settings = resolveTarget(layers, this.#name);
    } catch (error) {
      undo();
      throw error;
    }
    this.version++;
    return true;
  }
}

/** A function that is written beside a call is made anew each time: it is known by its source. */
function bySource(options: object): object {
  const entries = Object.entries(options).map(([key, value]) => [
    key,
    typeof value === 'function' ? String(value) : value,
  ]);
  return Object.fromEntries(entries);
}
