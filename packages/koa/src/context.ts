import type { IncomingMessage, ServerResponse } from 'node:http';
import { exchangeOf, type RequestHealing, UNHEALED } from '@healix/core/adapter';

/**
 * What healix uses of Koa's context. Structural, so that neither Koa's types nor a certain version of them are
 * needed.
 */
export interface KoaContext {
  readonly app: object;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly method: string;
  readonly path: string;
  readonly headerSent: boolean;
  respond?: boolean | undefined;
  status: number;
  body: unknown;
  set(headers: Record<string, string>): void;
}

export type KoaNext = () => Promise<unknown>;
export type KoaMiddleware = (ctx: KoaContext, next: KoaNext) => Promise<unknown>;

/** What `healing()` adds to the context: `new Koa<Koa.DefaultState, HealingContext>()`. */
export interface HealingContext {
  /** The request's own side of healing: its deadline's signal. */
  readonly healing: RequestHealing;
}

/** What a Koa application is, apart from its public face. */
export interface KoaInternals {
  readonly middleware?: readonly unknown[];
  readonly context?: object;
}

const RESPOND = Symbol('respond');

/**
 * Has all contexts of the application know `ctx.healing`, and tell when a handler takes the response over by
 * `ctx.respond = false`, or breaks it off (Koa 2 leaves such a response hanging). It is done on the prototype
 * that the contexts share, so that requests pay nothing for it.
 */
export function prepare(app: object): void {
  const { context } = app as KoaInternals;
  if (context === undefined || Object.hasOwn(context, 'healing')) return;
  Object.defineProperty(context, 'healing', { configurable: true, get: healingOf });
  tellOfErrors(context as Prepared);
  if (!('respond' in context)) {
    Object.defineProperty(context, 'respond', { configurable: true, get: getRespond, set: setRespond });
  }
}

type Prepared = KoaContext & { [RESPOND]?: boolean; onerror(error: unknown): void };

function healingOf(this: KoaContext): RequestHealing {
  return exchangeOf(this.req) ?? UNHEALED;
}

function getRespond(this: Prepared): boolean | undefined {
  return this[RESPOND];
}

function setRespond(this: Prepared, respond: boolean): void {
  this[RESPOND] = respond;
  if (respond === false) exchangeOf(this.req)?.takenOver();
}

/** Wraps what handles errors, be it Koa's own or the application's. */
function tellOfErrors(context: Prepared): void {
  const { onerror } = context;
  context.onerror = function tellingOnerror(this: Prepared, error: unknown): void {
    const { req, res } = this;
    if (error != null && res.headersSent && !res.writableEnded) exchangeOf(req)?.breakingOff(error);
    onerror.call(this, error);
  };
}
