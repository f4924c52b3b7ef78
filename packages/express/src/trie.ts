/** What a trie leads to: for each method, one item. */
class Node<T> {
  literals: Map<string, Node<T>> | undefined;
  parameter: Node<T> | undefined;
  items: Map<string, T> | undefined;
}

const PARAMETER = /^:\w+(\(.*\))?$/;
const LITERAL = /^[^:*{}()?+[\]!\\]+$/;

/**
 * Finds things by path: exact segments first, then parameters. It holds patterns of nothing but whole segments,
 * each a literal or a parameter. Capitals and a slash at the end make no difference, as in Express by default.
 */
export class Trie<T extends object> {
  readonly #root = new Node<T>();

  /**
   * Puts `item` where paths of `pattern` lead to. Returns what is there: another item, if there was one, or
   * undefined where the pattern cannot be held.
   */
  add(pattern: string, method: string, item: T): T | undefined {
    const segments = segmentsOf(pattern);
    if (segments === undefined) return undefined;
    let node = this.#root;
    for (const segment of segments) node = this.#step(node, segment);
    node.items ??= new Map();
    const there = node.items.get(method) ?? item;
    node.items.set(method, there);
    return there;
  }

  find(path: string, method: string): T | undefined {
    return find(this.#root, path, 1, method);
  }

  #step(node: Node<T>, segment: string): Node<T> {
    if (segment.startsWith(':')) {
      node.parameter ??= new Node();
      return node.parameter;
    }
    node.literals ??= new Map();
    const key = segment.toLowerCase();
    const next = node.literals.get(key) ?? new Node<T>();
    node.literals.set(key, next);
    return next;
  }
}

/**
 * Whether some path may fit both patterns. With `isPrefix` the first one fits whatever begins with it. What the
 * trie cannot hold may fit anything.
 */
export function overlap(one: string, other: string, isPrefix: boolean): boolean {
  const segments = segmentsOf(one);
  const others = segmentsOf(other);
  if (segments === undefined || others === undefined) return true;
  if (isPrefix ? segments.length > others.length : segments.length !== others.length) return false;
  return segments.every((segment, i) => {
    const opposite = others[i] as string;
    const isLiteral = !segment.startsWith(':') && !opposite.startsWith(':');
    return !isLiteral || segment.toLowerCase() === opposite.toLowerCase();
  });
}

function segmentsOf(pattern: string): string[] | undefined {
  const segments = pattern.replace(/\/$/, '').split('/').slice(1);
  const simple = segments.every((segment) => LITERAL.test(segment) || PARAMETER.test(segment));
  return simple && (pattern === '' || pattern.startsWith('/')) ? segments : undefined;
}

function find<T>(node: Node<T>, path: string, at: number, method: string): T | undefined {
  if (at >= path.length) return node.items?.get(method);
  let end = path.indexOf('/', at);
  if (end < 0) end = path.length;
  if (end === at) return undefined;
  const { literals, parameter } = node;
  if (literals !== undefined) {
    const segment = path.slice(at, end);
    const next = literals.get(segment) ?? literals.get(segment.toLowerCase());
    const found = next && find(next, path, end + 1, method);
    if (found !== undefined) return found;
  }
  return parameter && find(parameter, path, end + 1, method);
}
