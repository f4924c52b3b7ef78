import type { Layer } from './express.ts';

const withIndices = new WeakMap<Layer, RegExp>();

/** Express 4: each group that took part stands for a parameter. */
export function byGroups(layer: Layer, regexp: RegExp, path: string): string | undefined {
  const { source } = regexp;
  const isFromPath = source.startsWith('^') && (layer.route !== undefined || source.endsWith('(?=\\/|$)'));
  if (!isFromPath) return String(regexp);
  const exact = withIndices.get(layer) ?? new RegExp(source, `${regexp.flags.replace('g', '')}d`);
  withIndices.set(layer, exact);
  const found = exact.exec(path);
  if (found?.indices === undefined) return undefined;
  const literals: string[] = [];
  let pattern = '';
  let at = found.index;
  found.indices.forEach((span, group) => {
    if (group === 0 || span === undefined || span[0] < at) return;
    const name = layer.keys?.[group - 1]?.name ?? group - 1;
    literals.push(path.slice(at, span[0]));
    pattern += path.slice(at, span[0]) + (typeof name === 'string' ? `:${name}` : '*');
    at = span[1];
  });
  const end = path.slice(at, found.index + found[0].length);
  if (![...literals, end].every((text) => isPartOf(source, text))) return String(regexp);
  return pattern + end;
}

/** Whether a text stands in a regular expression as it is, rather than being matched by some class of characters. */
function isPartOf(source: string, text: string): boolean {
  const declared = source.toLowerCase();
  return text
    .toLowerCase()
    .split(/[/.]/)
    .every((part) => declared.includes(part));
}
