import { isDeepStrictEqual } from 'node:util';
import type { TargetOptions, TargetSettings } from './schema.ts';
import { checkTargetOptions, mergeOptions, resolveTarget } from './settings.ts';

/** Who changed a target's settings. */
export type SettingsAuthor = 'user' | 'recovery';

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

  /** True when settings were changed at run time, which would be lost with the target. */
  get updated(): boolean {
    return this.#updates !== undefined;
  }

  /** What stands beside the call or the route. Given anew, it replaces what it said before; the same is no change. */
  setRoute(options: TargetOptions): boolean {
    if (options === this.#route || isDeepStrictEqual(options, this.#route)) return false;
    checkTargetOptions(options, this.#name);
    const before = this.#route;
    this.#route = options;
    return this.#publish(() => {
      this.#route = before;
    });
  }

  update(options: TargetOptions): boolean {
    checkTargetOptions(options, this.#name);
    const before = this.#updates;
    this.#updates = mergeOptions(before ?? {}, options);
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
