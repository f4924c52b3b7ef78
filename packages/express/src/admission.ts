import type { ServerResponse } from 'node:http';
import type { Healing } from '@healix/core';
import { exchangeOf, Inbound, nameByUser, type Route } from '@healix/core/adapter';
import { answersWith } from './answers.ts';
import { Apps } from './apps.ts';
import type { ExpressNext, ExpressRequest, RoutedRequest } from './express.ts';
import type { HealingSettings } from './options.ts';
import type { Visit } from './visit.ts';

/** On a request that healing has let pass without a permit: nobody further in asks for one. */
const LEFT_ALONE: unique symbol = Symbol.for('healix.left-alone.1') as never;

type Marked = RoutedRequest & { [LEFT_ALONE]?: true };

/** Lets requests in, or answers them. */
export class Admission<R extends ExpressRequest> {
  readonly #settings: HealingSettings<R> & { readonly runtime: Healing };
  readonly #inbound: Inbound<Visit>;
  readonly #apps: Apps;

  constructor(settings: HealingSettings<R>, runtime: Healing) {
    this.#settings = { ...settings, runtime };
    this.#inbound = new Inbound<Visit>(
      runtime,
      {
        ...answersWith(settings.deadlineAnswer ?? false),
        taken: (visit, predicted) => (visit.named ? predicted : this.#routeOf(visit.taken())),
      },
      settings,
    );
    this.#apps = new Apps(this.#inbound.routes);
  }

  /** Where the route is yet to come. */
  ahead(req: Marked, res: ServerResponse, next: ExpressNext): void {
    const predictor = this.#apps.predictorOf(req);
    if (this.#settings.runtime.disabled) {
      req[LEFT_ALONE] = true;
      next();
      return;
    }
    this.#admit(predictor.predict(req, res), req, next);
  }

  /** Whether a request has been let in, or let pass, before. */
  static isThrough(req: Marked): boolean {
    return exchangeOf(req as never) !== undefined || req[LEFT_ALONE] === true;
  }

  /** At a route, where no healing stands before it. */
  here(req: Marked, res: ServerResponse, next: ExpressNext): void {
    const predictor = this.#apps.predictorOf(req);
    this.#admit(req.route === undefined ? predictor.predict(req, res) : predictor.at(req, res), req, next);
  }

  #admit(visit: Visit | undefined, req: RoutedRequest, next: ExpressNext): void {
    if (visit === undefined) next();
    else if (this.#inbound.admit(req as never, visit.res, this.#named(visit), visit))
      this.#inbound.enter(req as never, next);
  }

  #named(visit: Visit): Route {
    const route = this.#routeOf(visit.known);
    if (this.#settings.name === undefined) return route;
    const name = nameByUser(this.#settings, visit.req as unknown as R);
    if (name === undefined) return route;
    visit.named = true;
    return this.#inbound.routes.get(name, route.options);
  }

  #routeOf(known: Visit['known']): Route {
    return known === undefined ? this.#inbound.routes.unmatched : known.route;
  }
}
