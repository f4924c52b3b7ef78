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

/** Has all requests of an app, and of those inside, know `req.healing`, at no cost to those that do not ask. */
function prepare({ request }: App): void {
  if (request === undefined || Object.hasOwn(request, 'healing')) return;
  Object.defineProperty(request, 'healing', { configurable: true, get: healingOf });
}

function healingOf(this: RoutedRequest): RequestHealing {
  return exchangeOf(this as never) ?? UNHEALED;
}
