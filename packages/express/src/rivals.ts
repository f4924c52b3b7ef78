import type { ExpressRoute, Layer } from './express.ts';
import type { Family } from './family.ts';
import type { Known } from './known.ts';
import { matchedBy, takesAll, takesMethod } from './layers.ts';
import { overlap } from './trie.ts';
import { below, type Spot } from './ways.ts';

const DEEPEST = 16;
const NONE: readonly Spot[] = [];

/** Whether the layer at the end of a way matches `path`. */
export function takes({ mounts, leaf }: Spot, path: string): boolean {
  const rest = below(mounts, path);
  return rest !== undefined && matchedBy(leaf, rest) !== undefined;
}

/**
 * What stands before a route and matches some of the paths that its pattern leads to. What matches all of them
 * is none: the route has taken a request in spite of it.
 */
export function rivalsOf(known: Known, stack: readonly Layer[], family: Family): readonly Spot[] {
  const rivals: Spot[] = [];
  const { way: own, pattern } = known;
  const method = known.method === 'GET' ? 'HEAD' : known.method;

  /** False once the route itself is reached. */
  function walk(layers: readonly Layer[], mounts: readonly Layer[], rest: string, depth: number): boolean {
    for (const leaf of layers) {
      if (leaf === own?.leaf && mounts.every((layer, i) => layer === own.mounts[i])) return false;
      if (leaf.route !== undefined) {
        if (takesMethod(leaf.route, method) && isRival(leaf, rest, pathsOf(leaf.route), false))
          rivals.push({ mounts, leaf });
        continue;
      }
      const inner = depth < DEEPEST ? family.behind(leaf) : undefined;
      const around = takesAll(leaf) ? mounts : [...mounts, leaf];
      const left = below(around, pattern);
      if (inner !== undefined && left !== undefined) {
        if (!walk(inner, around, left, depth + 1)) return false;
      } else if (isRival(leaf, rest, [leaf.rawPath].flat(), true)) rivals.push({ mounts, leaf });
    }
    return true;
  }

  walk(stack, [], pattern, 0);
  return rivals.length === 0 ? NONE : rivals;
}

/** Whether capitals, the slash at the end, or what a parameter is make a difference to a route. */
export function isParticular({ way, pattern }: Known): boolean {
  if (way === undefined) return false;
  const text = pattern.toUpperCase();
  return pattern.includes('(') || !takes(way, text || '/') || !takes(way, `${text.replace(/\/$/, '')}/`);
}

function isRival(layer: Layer, pattern: string, paths: readonly unknown[], isMount: boolean): boolean {
  if (matchedBy(layer, pattern) !== undefined) return false;
  return paths.some((path) => typeof path !== 'string' || overlap(path, pattern, isMount));
}

function pathsOf({ path }: ExpressRoute): readonly unknown[] {
  return Array.isArray(path) ? path.flat(Number.POSITIVE_INFINITY) : [path];
}
