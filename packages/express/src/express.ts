import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HealBrand, RequestHealing } from '@healix/core/adapter';

declare global {
  namespace Express {
    interface Request {
      /** The request's own side of healing: its deadline's signal. */
      readonly healing: RequestHealing;
    }
  }
}

/**
 * What healix uses of Express's request. Structural, so that neither Express's types nor a certain version of
 * them are needed.
 */
export interface ExpressRequest extends IncomingMessage {
  readonly app: object;
  readonly baseUrl: string;
}

export type ExpressNext = (error?: unknown) => void;
export type ExpressMiddleware = (req: ExpressRequest, res: ServerResponse, next: ExpressNext) => void;

/** A request as the routers of Express 4 and 5 leave it. */
export interface RoutedRequest extends Omit<ExpressRequest, 'app' | 'baseUrl'> {
  readonly app: App;
  /** What the mounts around matched; absent once the app has given up on the request. */
  readonly baseUrl?: string;
  /** The last route that took the request; it may have passed it on since. */
  readonly route?: ExpressRoute;
  /** Absent once the app has given up on the request. */
  readonly next?: unknown;
  /** What parseurl has made of the URL `_raw`. */
  readonly _parsedUrl?: { readonly _raw?: string; readonly pathname?: string | null };
}

/** An application, apart from its public face. */
export interface App {
  /** The prototype of all its requests. */
  readonly request?: object;
  /** The app that this one is mounted in. */
  readonly parent?: App;
  readonly mountpath?: unknown;
  readonly handle?: unknown;
  readonly set?: unknown;
  /** Express 5. In 4 it throws. */
  readonly router?: Router;
  /** Express 4. */
  readonly _router?: Router;
  /** Express 4. */
  readonly lazyrouter?: unknown;
}

export interface Router {
  readonly stack: readonly Layer[];
}

/** What stands in a router: a route, or else a middleware or another router. */
export interface Layer {
  readonly name: string;
  readonly handle: Handle;
  readonly route?: ExpressRoute;
  /** Gives what it found, or, in Express 4 and router 2.0 to 2.2, true, having left that on the layer. */
  match(path: string): boolean | Match;
  readonly path?: string;
  /** It matches whatever comes. Express 5. */
  readonly slash?: boolean;
  /** The path that it was declared with. Router 2.3 and later. */
  readonly rawPath?: unknown;
  /** One for each path that it was declared with. Router 2. */
  readonly matchers?: readonly Matcher[];
  /** Express 4. */
  readonly regexp?: RegExp & { readonly fast_slash?: boolean };
  /** What the groups of `regexp` are called. Express 4. */
  readonly keys?: readonly { readonly name: string | number }[];
}

export interface Match {
  readonly path: string;
  /** Which of the layer's paths it was. Router 2.3 and later. */
  readonly pattern?: unknown;
}

export type Matcher = (
  path: string,
) => false | { readonly path: string; readonly params: Readonly<Record<string, unknown>> };

/** A middleware, a router, or an app. */
export type Handle = Partial<Router> & App & Branded;

export interface ExpressRoute {
  readonly path: unknown;
  readonly methods: Readonly<Record<string, boolean>>;
  readonly stack: readonly { readonly handle: Branded; readonly method?: string }[];
}

/** Marks on middleware. */
export interface Branded extends HealBrand {
  readonly healixDeadlineAnswer?: boolean | undefined;
  readonly healixHealth?: true;
}
