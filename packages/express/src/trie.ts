class Node<T> {
  literals: Map<string, Node<T>> | undefined = undefined;
  parameter: Node<T> | undefined = undefined;
  item: T | undefined = undefined;
}

const PARAMETER = /^:\w+(\(.*\))?$/;
const LITERAL = /^[^:*{}()?+[\]!\\]+$/;

/**
 * Finds things by method and path: exact segments first, then parameters. It holds patterns of nothing but whole segments,
 * each a literal or a parameter. Capitals and a slash at the end make no difference, as in Express by default.
 */
export class Trie<T extends object> {
  readonly #roots = new Map<string, Node<T>>();

  /**
   * Puts `item` where paths of `pattern` lead to. Returns what is there: another item, if there was one, or
   * undefined where the pattern cannot be held.
   */
  add(pattern: string, method: string, item: T): T | undefined {
    const segments = segmentsOf(pattern);
    if (segments === undefined) return undefined;
    let node = this.#roots.get(method) ?? new Node<T>();
    this.#roots.set(method, node);
    for (const segment of segments) node = this.#step(node, segment);
    node.item ??= item;
    return node.item;
  }

  find(path: string, method: string): T | undefined {
    const root = this.#roots.get(method);
    return root && find(root, path, 1);
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

function find<T>(node: Node<T>, path: string, at: number): T | undefined {
  if (at >= path.length) return node.item;
  let end = path.indexOf('/', at);
  if (end < 0) end = path.length;
  if (end === at) return undefined;
  const { literals, parameter } = node;
  if (literals !== undefined) {
    const segment = path.slice(at, end);
    const next = literals.get(segment) ?? literals.get(segment.toLowerCase());
    const found = next && find(next, path, end + 1);
    if (found !== undefined) return found;
  }
  return parameter && find(parameter, path, end + 1);
}
