import type { Matcher } from './express.ts';

/** What no segment of a path is by chance. */
const PROBE = 'healix~probe';

const NONE = {};

/**
 * Router 2.0 to 2.2: a segment that may be another one, and turns up in a parameter, stands for that. Of others
 * only what cannot be different is certain to have been declared.
 */
export function byProbes(matcher: Matcher, path: string): string {
  const match = attempt(matcher, path);
  const segments = match ? match.path.split('/') : [];
  const pattern = segments.map((segment, i) => {
    if (segment === '') return segment;
    const [name, value] = Object.entries(paramsOf(matcher, segments.with(i, PROBE))).find(isProbe) ?? [];
    if (name === undefined) return isFixed(matcher, segments, i) ? segment : '*';
    return Array.isArray(value) ? `*${name}` : `:${name}`;
  });
  const once = pattern.filter((one, i) => !one.startsWith('*') || one !== pattern[i - 1]);
  return once.join('/');
}

/** Whether the matcher takes no other segment there: none in which one character is another, or stands twice. */
function isFixed(matcher: Matcher, segments: readonly string[], i: number): boolean {
  const segment = segments[i] as string;
  for (let at = 0; at < segment.length; at++) {
    for (const other of variantsOf(segment.charAt(at))) {
      const varied = segment.slice(0, at) + other + segment.slice(at + 1);
      if (paramsOf(matcher, segments.with(i, varied)) !== NONE) return false;
    }
  }
  return true;
}

function variantsOf(char: string): string[] {
  const code = char.charCodeAt(0);
  const near = [String.fromCharCode(code - 1), String.fromCharCode(code + 1)];
  return [char + char, ...near, 'a', 'A', '0'].filter((other) => other.toLowerCase() !== char.toLowerCase());
}

/** What the parameters are where the matcher takes all of a path. */
function paramsOf(matcher: Matcher, segments: readonly string[]): Readonly<Record<string, unknown>> {
  const path = segments.join('/');
  const match = attempt(matcher, path);
  return match && match.path === path ? match.params : NONE;
}

function isProbe([, value]: [string, unknown]): boolean {
  return Array.isArray(value) ? value.includes(PROBE) : value === PROBE;
}

/** What a matcher finds, if it does, and the path can be decoded. */
export function attempt(matcher: Matcher, path: string): ReturnType<Matcher> {
  try {
    return matcher(path);
  } catch {
    return false;
  }
}
