import { isDeepStrictEqual } from 'node:util';
import { ConfigError } from '../errors.ts';
import type { TargetOptions, TargetSettings, TargetUpdate } from './schema.ts';
import { checkTargetOptions, mergeOptions, resolveTarget, withoutNulls } from './settings.ts';
import type { TierName } from './tier-names.ts';
import { withinRange } from './tier-schema.ts';

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
  #tier: TierName | undefined;
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

  /** The tier that the target was moved to; undefined while it is in the one that it began in. */
  get tier(): TierName | undefined {
    return this.#tier;
  }

  /** The keys of what recovery has laid over the settings. */
  get overlays(): readonly string[] {
    return [...(this.#overlays?.keys() ?? [])];
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

  /** Puts in force what had been updated before, and the tier; what was written beside routes stays. */
  restore(updates: TargetOptions | undefined, tier: TierName | undefined): boolean {
    const [updatesNow, tierNow] = [this.#updates, this.#tier];
    if (tier === tierNow && isDeepStrictEqual(updatesNow ?? {}, updates ?? {})) return false;
    this.#updates = updates;
    this.#tier = tier;
    return this.#publish(() => {
      this.#updates = updatesNow;
      this.#tier = tierNow;
    });
  }

  /** Moves the target to another tier, where it has a range to move in. */
  moveTo(tier: TierName): boolean {
    const { tierRange } = this.settings;
    if (tierRange === undefined || withinRange(tier, tierRange) === this.settings.tier) return false;
    const before = this.#tier;
    this.#tier = tier;
    return this.#publish(() => {
      this.#tier = before;
    });
  }

  /**
   * What recovery level `key` changes, or undefined to take it back.
   *
   * @throws ConfigError for a wrong setting, and for a tier: whose levels these are is not theirs to say
   */
  overlay(key: string, options: TargetOptions | undefined): boolean {
    for (const fixed of ['tier', 'profile'] as const) {
      if (options?.[fixed] !== undefined)
        throw new ConfigError(`${this.#name}.${fixed}`, options[fixed], 'nothing, of a recovery level');
    }
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

  #inTier(settings: TargetSettings): TargetSettings {
    const { tierRange } = settings;
    if (this.#tier === undefined || tierRange === undefined) return settings;
    return Object.freeze({ ...settings, tier: withinRange(this.#tier, tierRange) });
  }

  /** Settings that do not go together with the others are taken back by `undo`. */
  #publish(undo: () => void): boolean {
    const over = [this.#route, this.#updates, ...(this.#overlays?.values() ?? [])];
    const layers = [...this.#base.layers, ...over.filter((layer) => layer !== undefined)];
    try {
      this.settings = this.#inTier(resolveTarget(layers, this.#name));
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
  const entries = Object.entries(options).map(([key, value]) => {
    if (typeof value === 'function') return [key, String(value)];
    return [
      key,
      typeof value === 'object' && value !== null && !Array.isArray(value) ? bySource(value) : value,
    ];
  });
  return Object.fromEntries(entries);
}
