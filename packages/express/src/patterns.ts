import type { ExpressRoute, Layer, Matcher } from './express.ts';
import { matchOf, takesAll } from './layers.ts';

/** What no segment of a path is by chance. */
const PROBE = 'healix~probe';

const whole = new WeakMap<Layer, string>();
const alternatives = new WeakMap<Layer, Map<string, string>>();
const withIndices = new WeakMap<Layer, RegExp>();

/**
 * The pattern that a layer was declared with, by which it matches `path`. Router 2.3 keeps it. Before, only
 * what it has matched is known: the pattern is made of that.
 */
export function patternOf(layer: Layer, path: string): string {
  const known = whole.get(layer);
  if (known !== undefined) return known;
  if (takesAll(layer)) return '';
  if (layer.rawPath !== undefined) return declared(layer, path);
  const rebuilt = rebuild(layer, path);
  if (rebuilt === undefined) return '/*';
  return hasAlternatives(layer) ? oneSpelling(layer, rebuilt) : remember(layer, rebuilt);
}

/** The pattern of a route, by itself. */
export function routePattern({ path }: ExpressRoute, leaf: Layer | undefined, rest: string): string {
  if (!Array.isArray(path)) return String(path);
  const found = leaf && patternOf(leaf, rest);
  const paths = path.flat(Number.POSITIVE_INFINITY).map(String);
  return paths.find((one) => one.toLowerCase() === found?.toLowerCase()) ?? (found || paths.join(','));
}

/** A route's pattern behind the mounts around it. */
export function joined(mounts: string, pattern: string): string {
  return pattern === '/' && mounts !== '' ? mounts : mounts + pattern;
}

function declared(layer: Layer, path: string): string {
  const { rawPath } = layer;
  if (!Array.isArray(rawPath)) return remember(layer, spelled(rawPath));
  return spelled(matchOf(layer, path)?.pattern ?? rawPath[0]);
}

function remember(layer: Layer, pattern: string): string {
  whole.set(layer, pattern);
  return pattern;
}

/** A mount with a slash at its end is the same without. */
function spelled(path: unknown): string {
  return typeof path === 'string' ? withoutSlash(path) : String(path);
}

function withoutSlash(pattern: string): string {
  return pattern.length > 1 && pattern.endsWith('/') ? pattern.slice(0, -1) : pattern;
}

function hasAlternatives({ matchers, regexp }: Layer): boolean {
  return matchers === undefined ? (regexp?.source.includes('|^') ?? false) : matchers.length > 1;
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

function rebuild(layer: Layer, path: string): string | undefined {
  if (layer.regexp !== undefined) return byGroups(layer, layer.regexp, path);
  for (const matcher of layer.matchers ?? []) {
    if (attempt(matcher, path)) return byProbes(matcher, path);
  }
  return undefined;
}

/** Express 4: each group that took part stands for a parameter. */
function byGroups(layer: Layer, regexp: RegExp, path: string): string | undefined {
  const { source } = regexp;
  const isFromPath = source.startsWith('^') && (layer.route !== undefined || source.endsWith('(?=\\/|$)'));
  if (!isFromPath) return String(regexp);
  const exact = withIndices.get(layer) ?? new RegExp(source, `${regexp.flags.replace('g', '')}d`);
  withIndices.set(layer, exact);
  const found = exact.exec(path);
  if (found?.indices === undefined) return undefined;
  let pattern = '';
  let at = found.index;
  found.indices.forEach((span, group) => {
    if (group === 0 || span === undefined || span[0] < at) return;
    const name = layer.keys?.[group - 1]?.name ?? group - 1;
    pattern += path.slice(at, span[0]) + (typeof name === 'string' ? `:${name}` : '*');
    at = span[1];
  });
  return withoutSlash(pattern + path.slice(at, found.index + found[0].length));
}

/** Router 2.0 to 2.2: a segment that may be another one, and turns up in a parameter, stands for that. */
function byProbes(matcher: Matcher, path: string): string | undefined {
  const match = attempt(matcher, path);
  if (!match) return undefined;
  const segments = match.path.split('/');
  const pattern = segments.map((segment, i) => {
    if (segment === '') return segment;
    const tried = segments.with(i, PROBE).join('/');
    const probed = attempt(matcher, tried);
    if (!probed || probed.path !== tried) return segment;
    const [name, value] = Object.entries(probed.params).find(isProbe) ?? [];
    if (name === undefined) return segment;
    return Array.isArray(value) ? `*${name}` : `:${name}`;
  });
  return withoutSlash(pattern.filter((one, i) => !one.startsWith('*') || one !== pattern[i - 1]).join('/'));
}

function isProbe([, value]: [string, unknown]): boolean {
  return Array.isArray(value) ? value.includes(PROBE) : value === PROBE;
}

function attempt(matcher: Matcher, path: string): ReturnType<Matcher> {
  try {
    return matcher(path);
  } catch {
    return false;
  }
}
