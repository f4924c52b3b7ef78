import type { TargetOptions } from '@healix/core';
import {
  type AdapterOptions,
  exchangeOf,
  Inbound,
  nameByUser,
  type RequestHealing,
  type Route,
  readAdapterOptions,
  UNHEALED,
} from '@healix/core/adapter';
import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import { inScope, plugin } from './plugin.ts';
import { hooks, tellOfHijack } from './reply.ts';
import { RouteTable } from './route-table.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Settings of this route's target, over all others but those changed at run time. */
    healing?: TargetOptions;
  }
  interface FastifyRequest {
    /** The request's own side of healing: its deadline's signal. */
    readonly healing: RequestHealing;
  }
}

/** Settings for all routes of the scope, and those of the adapter. */
export interface HealingOptions extends AdapterOptions<FastifyRequest> {}

/**
 * Heals the routes of the scope that registers it, and of those inside: `await app.register(healing)`. Requests
 * are admitted in `onRequest`, before their body is read.
 *
 * @throws ConfigError from `register`, for a wrong setting
 */
export const healing: FastifyPluginCallback<HealingOptions> = inScope(plugin(install));

function install(app: FastifyInstance, options: HealingOptions): void {
  const settings = readAdapterOptions<FastifyRequest>(options);
  decorate(app);
  if (!settings.runtime.disabled) {
    const inbound = new Inbound<FastifyReply>(settings.runtime, hooks, settings);
    const table = new RouteTable(inbound.routes, settings.runtime);
    const routeOf =
      settings.name === undefined
        ? (request: FastifyRequest) => table.find(request)
        : (request: FastifyRequest) => named(table.find(request), nameByUser(settings, request), inbound);
    app.addHook('onRoute', (route) => table.declare(route));
    app.addHook('onRequest', (request, reply, next) => {
      const route = routeOf(request);
      if (route === undefined) return next();
      tellOfHijack(reply);
      if (inbound.admit(request.raw, reply.raw, route, reply)) inbound.enter(request.raw, next);
    });
  }
}

function decorate(app: FastifyInstance): void {
  if (app.hasRequestDecorator('healing')) return;
  app.decorateRequest('healing', {
    getter(): RequestHealing {
      return exchangeOf((this as unknown as FastifyRequest).raw) ?? UNHEALED;
    },
  });
}

function named(
  route: Route | undefined,
  name: string | undefined,
  { routes }: Inbound<FastifyReply>,
): Route | undefined {
  return route === undefined || name === undefined ? route : routes.get(name, route.options);
}
