import type { Http2Server } from 'node:http2';
import type { Server } from 'node:net';
import type { Readable } from 'node:stream';
import type { Healing, Rejection, TargetOptions } from '@healix/core';
import type { RawRequest, RawResponse, RequestHealing } from '@healix/core/adapter';

/** What a framework may lack; a subject says why, and the cases that need it are skipped with that reason. */
export type Feature =
  | 'array-paths'
  | 'closure-mounts'
  | 'http2'
  | 'name-corrections'
  | 'regexp-paths'
  | 'standalone-heal'
  | 'sub-apps';

/** An answer, in no framework's words. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer | Readable | object;
}

/** One request, as a handler sees it: the same for every framework. */
export interface Call {
  readonly req: RawRequest;
  readonly res: RawResponse;
  readonly params: Readonly<Record<string, string>>;
  /** The parsed body, where it is JSON. Other bodies are left unread. */
  readonly body: unknown;
  readonly healing: RequestHealing | undefined;
  /** Answers by the framework's own means. */
  send(reply: Reply): unknown;
  redirect(to: string): unknown;
  /** Takes the connection away from the framework: `res` and its socket are the handler's. */
  takeOver(): void;
  /** An error as the framework makes them, for `throw`. */
  error(status: number, message: string): Error;
}

export type Handler = (call: Call) => unknown;

export interface RouteSpec {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS' | 'ALL';
  /** With `:param` where it is a string. */
  readonly path: string | readonly string[] | RegExp;
  readonly handler: Handler;
  /** Settings beside the route; a runtime where no healing is mounted around it. */
  readonly healing?: TargetOptions & { readonly runtime?: Healing };
}

/** What an adapter is given. */
export interface HealingSpec extends TargetOptions {
  readonly runtime?: Healing;
  readonly name?: (req: RawRequest) => string | undefined;
  readonly onRefused?: (req: RawRequest, res: RawResponse, rejection: Rejection) => unknown;
  readonly maxNames?: number;
}

export interface MountSpec {
  /** More than one: the same routes, under each. */
  readonly prefixes: readonly string[];
  /**
   * `router`: the framework's own nesting (a router in a router, a scope); `app`: a whole app, mounted; `closure`:
   * a router that stands behind a plain function.
   */
  readonly kind: 'router' | 'app' | 'closure';
  readonly routes: readonly RouteSpec[];
  readonly mounts?: readonly MountSpec[];
  /** Healing mounted inside. */
  readonly healing?: readonly HealingSpec[];
}

export interface AppSpec {
  readonly routes?: readonly RouteSpec[];
  readonly mounts?: readonly MountSpec[];
  /** Changes the URL before the framework routes by it. */
  readonly rewrite?: (url: string) => string;
  /** Healing mounts, outermost first; none: the bare framework. */
  readonly healing?: readonly HealingSpec[];
  /** Where the health endpoint stands: behind healing, as a careless user has it. */
  readonly health?: { readonly path: string; readonly runtime: Healing; readonly details?: boolean };
  readonly http2?: boolean;
}

/** A server of the framework, not yet listening. */
export interface App {
  readonly server: Server | Http2Server;
  /** Has the framework close down what it began. */
  close(): Promise<void>;
}

/** One framework with its adapter. */
export interface Subject {
  readonly name: string;
  readonly lacks: Readonly<Partial<Record<Feature, string>>>;
  build(spec: AppSpec): Promise<App>;
}
