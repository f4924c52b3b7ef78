import type { ServerResponse } from 'node:http';
import type { RoutedRequest } from './express.ts';
import type { Known } from './known.ts';

/** Who has foretold what would take a request, and knows in the end what did. */
interface Teller {
  taken(visit: Visit): Known | undefined;
}

/** One request on its way through an app, and what was foretold of it. */
export class Visit {
  readonly #teller: Teller;
  readonly req: RoutedRequest;
  readonly res: ServerResponse;
  /** As the outermost app sees it. */
  readonly path: string;
  /** The route that will take it; undefined: none. */
  readonly known: Known | undefined;
  /** What might have taken it as well; empty where it was found by its pattern. */
  readonly candidates: string;
  /** Its target bears a name of the user's. */
  named = false;

  constructor(
    teller: Teller,
    req: RoutedRequest,
    res: ServerResponse,
    path: string,
    known: Known | undefined,
    candidates: string,
  ) {
    this.#teller = teller;
    this.req = req;
    this.res = res;
    this.path = path;
    this.known = known;
    this.candidates = candidates;
  }

  /** What has taken it; undefined: nothing. */
  taken(): Known | undefined {
    return this.#teller.taken(this);
  }
}

/** HEAD shares GET's routes. */
export function methodOf({ method }: RoutedRequest): string {
  return method === 'HEAD' ? 'GET' : (method as string);
}

/** The path that the outermost app routes by. */
export function pathOf(req: RoutedRequest): string {
  const { baseUrl = '' } = req;
  return baseUrl === '' ? innerPathOf(req) : baseUrl + innerPathOf(req);
}

/** The path below the mounts: what Express has read it to be, where it has read this URL. */
export function innerPathOf({ url = '/', _parsedUrl }: RoutedRequest): string {
  if (_parsedUrl?._raw === url || !url.startsWith('/')) return _parsedUrl?.pathname ?? '/';
  return url.split(/[?#]/, 1)[0] || '/';
}
