/** A header among those of a request, in any form that undici takes; `name` is in lower case. */
export function findHeader(headers: unknown, name: string): string | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined;
  if (Array.isArray(headers)) return inList(headers, name);
  if (Symbol.iterator in headers) return inPairs(headers as Iterable<unknown>, name);
  for (const key in headers) {
    if (isNamed(key, name)) return first((headers as Record<string, unknown>)[key]);
  }
  return undefined;
}

function inList(list: readonly unknown[], name: string): string | undefined {
  if (Array.isArray(list[0])) return inPairs(list, name);
  for (let i = 0; i + 1 < list.length; i += 2) if (isNamed(list[i], name)) return first(list[i + 1]);
  return undefined;
}

function inPairs(pairs: Iterable<unknown>, name: string): string | undefined {
  for (const pair of pairs) if (Array.isArray(pair) && isNamed(pair[0], name)) return first(pair[1]);
  return undefined;
}

function isNamed(key: unknown, name: string): boolean {
  const text = String(key);
  return text.length === name.length && text.toLowerCase() === name;
}

function first(value: unknown): string | undefined {
  const one = Array.isArray(value) ? value[0] : value;
  return one == null ? undefined : String(one);
}

/** The headers of a request, in any form that undici takes, with `more` in the place of those of the same names. */
export function withHeaders(headers: unknown, more: Readonly<Record<string, string>>): unknown {
  if (typeof headers !== 'object' || headers === null) return more;
  if (!Array.isArray(headers) && !(Symbol.iterator in headers)) {
    const kept = Object.entries(headers).filter(([name]) => !(name.toLowerCase() in more));
    return { ...Object.fromEntries(kept), ...more };
  }
  const pairs =
    Array.isArray(headers) && !Array.isArray(headers[0])
      ? pairsOf(headers)
      : [...(headers as Iterable<[unknown, unknown]>)];
  const kept = pairs.filter(([name]) => !(String(name).toLowerCase() in more));
  return [...kept, ...Object.entries(more)].flat(1);
}

function pairsOf(list: readonly unknown[]): [unknown, unknown][] {
  const pairs: [unknown, unknown][] = [];
  for (let i = 0; i + 1 < list.length; i += 2) pairs.push([list[i], list[i + 1]]);
  return pairs;
}
