import type { Branded, Layer } from './express.ts';
import type { Family } from './family.ts';
import { matchedBy, restAfter, setsForAll, takesMethod } from './layers.ts';
import { patternOf } from './patterns.ts';

const DEEPEST = 16;

/** Where a layer stands: the mounts around it that match only some paths, outermost first. */
export interface Spot {
  readonly mounts: readonly Layer[];
  readonly leaf: Layer;
}

/** How a request gets to a layer. */
export interface Way extends Spot {
  /** What is passed on the way that sets something for all routes after it. */
  readonly passed: readonly Branded[];
}

/** What mounts make of a path. */
export interface Course {
  readonly pattern: string;
  /** The part of the path that they match: Express's `baseUrl`. */
  readonly base: string;
  readonly rest: string;
}

/** What `mounts` leave of `path`; undefined where one does not match. */
export function below(mounts: readonly Layer[], path: string): string | undefined {
  let rest: string | undefined = path;
  for (const layer of mounts) {
    const text = matchedBy(layer, rest);
    rest = text === undefined ? undefined : restAfter(text, rest);
    if (rest === undefined) return undefined;
  }
  return rest;
}

/** The course that `path` takes through `mounts`; undefined where one does not match. */
export function follow(mounts: readonly Layer[], path: string): Course | undefined {
  let pattern = '';
  let base = '';
  let rest = path;
  for (const layer of mounts) {
    const text = matchedBy(layer, rest);
    const next = text === undefined ? undefined : restAfter(text, rest);
    if (text === undefined || next === undefined) return undefined;
    pattern += patternOf(layer, rest);
    base += text.endsWith('/') ? text.slice(0, -1) : text;
    rest = next;
  }
  return { pattern, base, rest };
}

/**
 * Everything that may take a request, in the order in which Express asks: routes, and mounts that nobody can
 * see into. It costs as much as Express's own search.
 */
export function search(
  stack: readonly Layer[],
  path: string,
  method: string,
  family: Family,
  mounts: readonly Layer[] = [],
  found: Way[] = [],
  passedBefore: readonly Branded[] = [],
): readonly Way[] {
  let passed = passedBefore;
  for (const layer of stack) {
    const text = matchedBy(layer, path);
    if (text === undefined) continue;
    if (layer.route !== undefined) {
      if (takesMethod(layer.route, method)) found.push({ mounts, leaf: layer, passed });
      continue;
    }
    if (setsForAll(layer)) passed = [...passed, layer.handle];
    const inner = family.behind(layer);
    const rest = inner === undefined && text === '' ? undefined : restAfter(text, path);
    if (rest === undefined) continue;
    const around = text === '' ? mounts : [...mounts, layer];
    if (inner === undefined) found.push({ mounts: around, leaf: layer, passed });
    else if (mounts.length < DEEPEST) search(inner, rest, method, family, around, found, passed);
  }
  return found;
}

/** The mounts that match the most of `base`, whatever stands there. */
export function deepestMounts(
  stack: readonly Layer[],
  base: string,
  family: Family,
  mounts: readonly Layer[] = [],
): readonly Layer[] {
  let deepest = mounts;
  let shortest = base.length;
  for (const layer of stack) {
    const text = layer.route === undefined ? matchedBy(layer, base) : undefined;
    const rest = text === undefined ? undefined : restAfter(text, base);
    if (rest === undefined) continue;
    const around = text === '' ? mounts : [...mounts, layer];
    const inner = around.length < DEEPEST ? family.behind(layer) : undefined;
    const found = inner === undefined ? around : deepestMounts(inner, rest, family, around);
    const left = below(found.slice(mounts.length), base)?.length ?? shortest;
    if (left < shortest) {
      deepest = found;
      shortest = left;
    }
  }
  return deepest;
}
