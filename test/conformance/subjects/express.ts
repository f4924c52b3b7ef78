import { createServer } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import { exchangeOf } from '@healix/core/adapter';
import { heal, healing, healthEndpoint } from '@healix/express';
import type express from 'express';
import type { Application, NextFunction, Request, RequestHandler, Response, Router } from 'express';
import { readJson } from '../harness/read-json.ts';
import type { AppSpec, Call, HealingSpec, MountSpec, Reply, RouteSpec, Subject } from '../harness/subject.ts';

export interface Variant {
  /** Whether errors that async handlers throw reach Express by themselves: from 5 on. */
  readonly catchesRejections: boolean;
}

/** Express, of whichever version. */
export function expressSubject(name: string, module: typeof express, variant: Variant): Subject {
  return {
    name,
    lacks: { http2: 'Express serves HTTP/1 alone' },
    async build(spec) {
      const app = module();
      app.set('env', 'test');
      new Builder(module, variant).build(app, spec);
      return { server: createServer(app), close: async () => {} };
    },
  };
}

class Builder {
  readonly #module: typeof express;
  readonly #variant: Variant;

  constructor(module: typeof express, variant: Variant) {
    this.#module = module;
    this.#variant = variant;
  }

  build(app: Application, spec: AppSpec): void {
    for (const item of spec.healing ?? []) app.use(healing(adapterOptions(item)));
    const { health, rewrite } = spec;
    if (health) {
      const { path, ...options } = health;
      app.use(path, healthEndpoint(options));
    }
    if (rewrite) app.use(rewriting(rewrite));
    app.use(parsing);
    this.#fill(app, spec);
  }

  #fill(scope: Application | Router, { routes = [], mounts = [] }: Pick<AppSpec, 'routes' | 'mounts'>): void {
    for (const route of routes) this.#declare(scope, route);
    for (const inner of mounts) {
      const mounted = this.#mount(inner);
      for (const prefix of inner.prefixes) (scope as Router).use(prefix, mounted as RequestHandler);
    }
  }

  #mount(inner: MountSpec): RequestHandler | Application {
    const scope = inner.kind === 'app' ? this.#module() : this.#module.Router({ mergeParams: true });
    for (const item of inner.healing ?? []) scope.use(healing(adapterOptions(item)));
    this.#fill(scope, inner);
    // Nobody can see which router, if any, stands behind the function.
    return inner.kind === 'closure' ? (req, res, next) => scope(req, res, next) : scope;
  }

  #declare(scope: Application | Router, { method, path, handler, healing: settings }: RouteSpec): void {
    const answer: RequestHandler = (req, res, next) => {
      const result = handler(callOf(req, res, next));
      if (this.#variant.catchesRejections || !(result instanceof Promise)) return result as undefined;
      return result.catch(next);
    };
    // A route's own deadline is answered for: that is what the cases are about.
    const chain = settings ? [heal({ deadlineAnswer: true, ...settings }), answer] : [answer];
    const verb = method.toLowerCase() as 'all';
    (scope as Router)[verb](path as string, chain);
  }
}

function rewriting(rewrite: (url: string) => string): RequestHandler {
  return (req, _res, next) => {
    req.url = rewrite(req.url);
    next();
  };
}

const parsing: RequestHandler = (req, _res, next) => {
  readJson(req).then(
    (body) => {
      req.body = body;
      next();
    },
    (error) => next(Object.assign(error, { status: 400 })),
  );
};

function adapterOptions(options: HealingSpec) {
  return { deadlineAnswer: true, ...options };
}

function callOf(req: Request, res: Response, next: NextFunction): Call {
  return {
    req,
    res,
    params: req.params as Record<string, string>,
    body: req.body,
    healing: req.healing,
    send: (reply) => send(res, reply, next),
    redirect: (to) => res.redirect(to),
    takeOver: () => exchangeOf(req)?.takenOver(),
    error: (status, message) => Object.assign(new Error(message), { status, expose: true }),
  };
}

function send(res: Response, { status = 200, headers = {}, body }: Reply, next: NextFunction): unknown {
  res.status(status).set(headers);
  if (!(body instanceof Readable)) return body === undefined ? res.end() : res.send(body);
  return pipeline(body, res, (error) => error && next(error));
}
