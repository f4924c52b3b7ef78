import { IncomingMessage } from 'node:http';
import { exchangeOf, type RequestHealing, type Routes, UNHEALED } from '@healix/core/adapter';
import type { App, RoutedRequest } from './express.ts';
import { Family } from './family.ts';
import { Predictor } from './predictor.ts';

/** The predictors of all apps that one mount of healing serves: one, as a rule. */
export class Apps {
  readonly #routes: Routes;
  readonly #family = new Family();
  readonly #predictors = new WeakMap<App, Predictor>();
  #lastApp: App | undefined;
  #last!: Predictor;

  constructor(routes: Routes) {
    this.#routes = routes;
  }

  predictorOf({ app }: RoutedRequest): Predictor {
    if (app === this.#lastApp) return this.#last;
    const root = this.#family.rootOf(app);
    prepare(root);
    const predictor = this.#predictors.get(root) ?? new Predictor(root, this.#family, this.#routes);
    this.#predictors.set(root, predictor);
    this.#lastApp = app;
    this.#last = predictor;
    return predictor;
  }
}

/**
 * Has all requests of an app know `req.healing`, at no cost to those that do not ask. It is for all apps that one
 * module of Express makes: those behind a function, or in a router, have nothing else in common with the root.
 */
function prepare({ request }: App): void {
  if (request === undefined || 'healing' in request) return;
  Object.defineProperty(commonTo(request), 'healing', { configurable: true, get: healingOf });
}

/** What requests of all apps inherit from, right before Node's own; the app's own where that is not Node's. */
function commonTo(request: object): object {
  let common = request;
  for (let next: object | null = request; next !== null; next = Object.getPrototypeOf(next)) {
    if (next === IncomingMessage.prototype) return common;
    common = next;
  }
  return request;
}

function healingOf(this: RoutedRequest): RequestHealing {
  return exchangeOf(this as never) ?? UNHEALED;
}
