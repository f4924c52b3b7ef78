import type { ExpressRoute, Layer, Matcher } from './express.ts';
import { byGroups } from './groups.ts';
import { matchOf, takesAll } from './layers.ts';
import { attempt, byProbes } from './probes.ts';

const whole = new WeakMap<Layer | Matcher, string>();
const alternatives = new WeakMap<Layer, Map<string, string>>();

/**
 * The pattern that a layer was declared with, by which it matches `path`. Router 2.3 keeps it. Before, only
 * what it has matched is known: the pattern is made of that, but for what is not certain to be part of it.
 */
export function patternOf(layer: Layer, path: string): string {
  const known = whole.get(layer);
  if (known !== undefined) return known;
  if (takesAll(layer)) return '';
  if (layer.rawPath !== undefined) return declared(layer, path);
  if (layer.regexp !== undefined) return rebuilt(layer, layer.regexp, path);
  const matcher = matcherFor(layer, path);
  if (matcher === undefined) return '/*';
  return whole.get(matcher) ?? remember(matcher, withoutSlash(byProbes(matcher, path)));
}

/** The pattern of a route, by itself: of a list the one that matches `rest`, or, if that is not certain, all. */
export function routePattern({ path }: ExpressRoute, leaf: Layer | undefined, rest: string): string {
  if (!Array.isArray(path)) return String(path);
  const paths = path.flat(Number.POSITIVE_INFINITY).map(String);
  return (leaf && oneOf(paths, leaf, rest)) ?? paths.join(',');
}

/** A route's pattern behind the mounts around it. */
export function joined(mounts: string, pattern: string): string {
  return pattern === '/' && mounts !== '' ? mounts : mounts + pattern;
}

/** Router 2 has a matcher for each path. In Express 4 the list is one regular expression. */
function oneOf(paths: readonly string[], leaf: Layer, rest: string): string | undefined {
  const { matchers } = leaf;
  const matcher = matcherFor(leaf, rest);
  if (matcher && matchers?.length === paths.length) return paths[matchers.indexOf(matcher)];
  const found = patternOf(leaf, rest).toLowerCase();
  return paths.find((path) => path.toLowerCase() === found);
}

function declared(layer: Layer, path: string): string {
  const { rawPath } = layer;
  if (!Array.isArray(rawPath)) return remember(layer, spelled(rawPath));
  return spelled(matchOf(layer, path)?.pattern ?? rawPath[0]);
}

function remember(owner: Layer | Matcher, pattern: string): string {
  whole.set(owner, pattern);
  return pattern;
}

/** A mount with a slash at its end is the same without. */
function spelled(path: unknown): string {
  return typeof path === 'string' ? withoutSlash(path) : String(path);
}

function withoutSlash(pattern: string): string {
  return pattern.length > 1 && pattern.endsWith('/') ? pattern.slice(0, -1) : pattern;
}

/** A path may be asked for in any mixture of capitals: the first spelling stands for all. */
function oneSpelling(layer: Layer, pattern: string): string {
  const spellings = alternatives.get(layer) ?? new Map<string, string>();
  alternatives.set(layer, spellings);
  const key = pattern.toLowerCase();
  const first = spellings.get(key) ?? pattern;
  spellings.set(key, first);
  return first;
}

function rebuilt(layer: Layer, regexp: RegExp, path: string): string {
  const found = byGroups(layer, regexp, path);
  if (found === undefined) return '/*';
  const pattern = withoutSlash(found);
  return regexp.source.includes('|^') ? oneSpelling(layer, pattern) : remember(layer, pattern);
}

function matcherFor({ matchers }: Layer, path: string): Matcher | undefined {
  return matchers?.find((matcher) => attempt(matcher, path));
}
