/** A glob over target names: `*` stays inside a path segment, `**` goes across. */
export class NamePattern {
  readonly glob: string;
  /** More specific patterns sort last: the longest literal start, then a named method, then `*` before `**`. */
  readonly #literalLength: number;
  readonly #namesMethod: boolean;
  readonly #staysInSegment: boolean;
  readonly #matcher: RegExp;

  constructor(glob: string) {
    this.glob = glob;
    const { method, rest } = splitRoute(glob);
    this.#namesMethod = method !== undefined && !method.includes('*');
    this.#literalLength = rest.split('*', 1)[0]?.length ?? 0;
    this.#staysInSegment = !rest.startsWith('**', this.#literalLength);
    const source = glob
      .split(/(\*+)/)
      .map((part) => (part.startsWith('**') ? '.*' : part === '*' ? '[^/]*' : escapeRegExp(part)))
      .join('');
    this.#matcher = new RegExp(`^${source}$`, 's');
  }

  matches(name: string): boolean {
    return this.#matcher.test(name);
  }

  /** Less specific first; among equals the order given stands. */
  static compare(a: NamePattern, b: NamePattern): number {
    return (
      a.#literalLength - b.#literalLength ||
      Number(a.#namesMethod) - Number(b.#namesMethod) ||
      Number(a.#staysInSegment) - Number(b.#staysInSegment)
    );
  }
}

/** What kind of thing a target is: a route of ours, or something that we call. */
export type TargetKind = 'route' | 'upstream';

export function kindOf(name: string): TargetKind {
  return name.startsWith('route:') ? 'route' : 'upstream';
}

function splitRoute(name: string): { method: string | undefined; rest: string } {
  const { method, rest } = /^route:(?:(?<method>\S+) )?(?<rest>.*)$/s.exec(name)?.groups ?? {};
  return { method, rest: rest ?? name };
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
