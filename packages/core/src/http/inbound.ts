import { withScope } from '../ambient.ts';
import type { DeadlineError } from '../errors.ts';
import type { Healing } from '../healing.ts';
import type { Rejection } from '../permit.ts';
import { isProbe, shorter } from '../recovery/attempts.ts';
import { RequestScope } from '../request-scope.ts';
import type { Target } from '../target.ts';
import { type Answer, deadlineAnswer, refusalAnswer, sendAnswer } from './answers.ts';
import { Exchange } from './exchange.ts';
import { isPreflight, isUpgraded, type RawRequest, type RawResponse } from './raw.ts';
import { type Route, Routes, type RoutesOptions } from './routes.ts';
import { exchangeOf, watch } from './watch.ts';

/** Replaces the answer to a refused request. What it throws is reported, and the usual answer sent. */
export type OnRefused = (req: RawRequest, res: RawResponse, rejection: Rejection) => unknown;

/** What an adapter does for the framework. `C` is the framework's own object for a request. */
export interface InboundHooks<C> {
  /** Answers a request that was refused the framework's way: its handler will not run. */
  refuse(context: C, answer: Answer): void;
  /** Answers in place of a handler that is late, and goes on. */
  answerLate(context: C, answer: Answer): void;
  /** Lets go of the response, since the user answers over Node's own. */
  detach?(context: C): void;
  /** The route that really took the request, as far as is known, and at its end for certain; absent where the first one is certain. */
  taken?(context: C, predicted: Route): Route;
}

export interface InboundOptions extends RoutesOptions {
  onRefused?: OnRefused | undefined;
}

/** One mount of healing: begins an exchange for each request, and answers those that are refused or late. */
export class Inbound<C = unknown> {
  readonly runtime: Healing;
  readonly routes: Routes;
  readonly #hooks: InboundHooks<C>;
  readonly #onRefused: OnRefused | undefined;
  readonly #disabled: boolean;

  constructor(runtime: Healing, hooks: InboundHooks<C>, options: InboundOptions = {}) {
    this.runtime = runtime;
    this.routes = new Routes(options);
    this.#hooks = hooks;
    this.#onRefused = options.onRefused;
    this.#disabled = runtime.disabled;
  }

  /** False where the request was refused, and answered: the handler must not run. */
  admit(req: RawRequest, res: RawResponse, route: Route, context: C): boolean {
    const { runtime } = this;
    if (exchangeOf(req) !== undefined) {
      runtime.coverage.doubleMounts++;
      return true;
    }
    if (this.#disabled || isPreflight(req)) return true;
    const target = route.target ?? this.#find(route);
    const said = runtime.propagation.priorityOf(req.headers);
    const token = target.admit(said === undefined ? req : { method: req.method, priority: said });
    if (token === 0) {
      this.#refuse(req, res, target.rejection(), context);
      return false;
    }
    const exchange = new Exchange(this, target, token, route, req, res, context);
    watch(exchange);
    const leftMs = runtime.propagation.leftMsOf(req.headers);
    const limitMs = target.limitsTime ? shorter(target.settings.deadlineMs, leftMs) : undefined;
    if (isUpgraded(req, res)) exchange.takenOver();
    else if (limitMs !== undefined && !exchange.released) exchange.endBy(exchange.start + limitMs);
    const scopeMs = limitMs ?? leftMs;
    const priority = said ?? target.settings.priority;
    const traced = runtime.callsOut && target.traces;
    if (scopeMs !== undefined || priority !== undefined || traced) {
      const endsAt = exchange.start + (scopeMs ?? Number.POSITIVE_INFINITY);
      exchange.scope = new RequestScope(target.time, endsAt, priority, traced);
    }
    if (isProbe(target, exchange)) exchange.asProbe();
    return true;
  }

  /**
   * Goes on with a request that was admitted: `next` and all that comes of it, however late, calls others on its
   * behalf, under its deadline and its priority.
   */
  enter<T>(req: RawRequest, next: () => T): T {
    const scope = exchangeOf(req)?.scope;
    return scope === undefined ? next() : withScope(scope, next);
  }

  /** @internal Answers in place of a handler that is late. */
  answerLate({ req, target, context }: Exchange, error: DeadlineError): void {
    this.#hooks.answerLate(context as C, deadlineAnswer(req, error, target));
  }

  /** @internal The target that an exchange belongs to, as far as is known by now. */
  targetOf(exchange: Exchange): Target {
    return this.#targetAt(this.#taken(exchange), exchange);
  }

  /** @internal The same when it is left, once; what is to be said of its name is counted. */
  leave(exchange: Exchange): Target {
    const { coverage } = this.runtime;
    const taken = this.#taken(exchange);
    if (this.routes.isCatchAll(taken) && exchange.res.statusCode !== 404) coverage.noteUncovered(taken.name);
    if (taken !== exchange.route) coverage.namesCorrected++;
    return this.#targetAt(taken, exchange);
  }

  #taken({ route, context }: Exchange): Route {
    return this.#hooks.taken?.(context as C, route) ?? route;
  }

  #targetAt(taken: Route, { route, target }: Exchange): Target {
    return taken === route ? target : (taken.target ?? this.#find(taken));
  }

  #find(route: Route): Target {
    const target = this.#targetWith(route);
    // Where there is no room for one of its own now, there may be later.
    if (target.name === route.name) route.target = target;
    return target;
  }

  /** Settings that do not go together with those of the runtime are told of, and left out. */
  #targetWith({ name, options }: Route): Target {
    try {
      return this.runtime.target(name, options);
    } catch (error) {
      this.runtime.reportCallback(name, 'settings', error);
      return this.runtime.target(name);
    }
  }

  #refuse(req: RawRequest, res: RawResponse, rejection: Rejection, context: C): void {
    const answer = refusalAnswer(req, rejection);
    if (this.#onRefused === undefined) this.#hooks.refuse(context, answer);
    else this.#handOver(this.#onRefused, req, res, rejection, answer, context);
  }

  #handOver(
    onRefused: OnRefused,
    req: RawRequest,
    res: RawResponse,
    rejection: Rejection,
    answer: Answer,
    context: C,
  ): void {
    this.#hooks.detach?.(context);
    const failed = (error: unknown) => {
      this.runtime.reportCallback(rejection.target.name, 'onRefused', error);
      if (!res.headersSent) sendAnswer(res, answer);
      else if (!res.writableEnded) res.destroy();
    };
    try {
      const result = onRefused(req, res, rejection) as PromiseLike<unknown> | undefined;
      if (typeof result?.then === 'function') result.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  }
}
