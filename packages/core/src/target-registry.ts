import type { TargetOptions } from './config/schema.ts';
import { checkTargetOptions, KIND_DEFAULTS, resolveTarget } from './config/settings.ts';
import type { BaseSettings } from './config/settings-stack.ts';
import { kindOf, NamePattern, type TargetKind } from './config/target-name.ts';
import { Target, type TargetContext } from './target.ts';

const DROPPED_AFTER_MS = 600_000;

/** What the user says of targets: defaults, exact names, and patterns. */
export interface TargetRules {
  readonly defaults: TargetOptions;
  readonly exact: ReadonlyMap<string, TargetOptions>;
  readonly patterns: readonly { readonly pattern: NamePattern; readonly options: TargetOptions }[];
}

/** All targets of a runtime, bounded in number. */
export class TargetRegistry {
  readonly #rules: TargetRules;
  readonly #context: TargetContext;
  readonly #maxTargets: number;
  readonly #targets = new Map<string, Target>();
  /** Dropped, but perhaps still held by somebody: the same name must stay the same target. */
  readonly #dropped = new Map<string, WeakRef<Target>>();
  readonly #bases = new Map<string, BaseSettings>();

  constructor(rules: TargetRules, context: TargetContext, maxTargets: number) {
    this.#rules = {
      ...rules,
      patterns: rules.patterns.toSorted((a, b) => NamePattern.compare(a.pattern, b.pattern)),
    };
    this.#context = context;
    this.#maxTargets = maxTargets;
  }

  get size(): number {
    return this.#targets.size;
  }

  [Symbol.iterator](): IterableIterator<Target> {
    return this.#targets.values();
  }

  /** The target of that name; past the bound, the one that all further names of its kind share. */
  get(name: string): Target {
    return this.#targets.get(name) ?? this.#make(name);
  }

  /** The target of that name, if there is one. */
  find(name: string): Target | undefined {
    return this.#targets.get(name);
  }

  /** Drops targets that nobody has used for long and that hold nothing worth keeping. Returns their names. */
  sweep(now: number): string[] {
    const dropped: string[] = [];
    for (const [name, reference] of this.#dropped) if (!reference.deref()) this.#dropped.delete(name);
    for (const [name, target] of this.#targets) {
      if (!target.isDisposable(now, DROPPED_AFTER_MS)) continue;
      this.#targets.delete(name);
      this.#dropped.set(name, new WeakRef(target));
      dropped.push(name);
    }
    return dropped;
  }

  /** Takes a target back that was dropped and is used again. */
  readopt(target: Target): void {
    if (this.#dropped.delete(target.name)) this.#targets.set(target.name, target);
  }

  #make(wanted: string): Target {
    const dropped = this.#dropped.get(wanted)?.deref();
    if (dropped !== undefined) {
      this.readopt(dropped);
      return dropped;
    }
    const full = this.#targets.size >= this.#maxTargets;
    const name = full ? `${kindOf(wanted)}:other` : wanted;
    const existing = full ? this.#targets.get(name) : undefined;
    if (existing) return existing;
    const target = new Target(name, this.#baseOf(name), this.#context);
    this.#targets.set(name, target);
    return target;
  }

  #baseOf(name: string): BaseSettings {
    const kind = kindOf(name);
    const exact = this.#rules.exact.get(name);
    const matching = this.#rules.patterns.filter(({ pattern }) => pattern.matches(name));
    if (exact !== undefined) return makeBase(kind, name, [...this.#layersOf(matching), exact]);
    const key = `${kind} ${matching.map(({ pattern }) => pattern.glob).join(' ')}`;
    const known = this.#bases.get(key) ?? makeBase(kind, 'targets', this.#layersOf(matching));
    this.#bases.set(key, known);
    return known;
  }

  #layersOf(matching: readonly { readonly options: TargetOptions }[]): TargetOptions[] {
    return [this.#rules.defaults, ...matching.map(({ options }) => options)];
  }
}

function makeBase(kind: TargetKind, path: string, said: readonly TargetOptions[]): BaseSettings {
  const layers: TargetOptions[] = [KIND_DEFAULTS[kind], ...said];
  return { layers, settings: resolveTarget(layers, path) };
}

/** @throws ConfigError for a wrong setting of a target */
export function readRules({
  defaults = {},
  targets = {},
}: {
  defaults?: TargetOptions | undefined;
  targets?: Readonly<Record<string, TargetOptions & { match?: string | undefined }>> | undefined;
}): TargetRules {
  checkTargetOptions(defaults, 'defaults');
  const exact = new Map<string, TargetOptions>();
  const patterns: { pattern: NamePattern; options: TargetOptions }[] = [];
  for (const [key, { match, ...options }] of Object.entries(targets)) {
    const path = `targets.${key}`;
    checkTargetOptions(options, path);
    for (const kind of Object.values(KIND_DEFAULTS)) resolveTarget([kind, defaults, options], path);
    if (match === undefined) exact.set(key, options);
    else patterns.push({ pattern: new NamePattern(match), options });
  }
  return { defaults, exact, patterns };
}
