// A healed service, in the framework of the first argument: its routes ask an upstream, and answer as that does.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { createHealing } from '@healix/core';
import * as onExpress from '@healix/express';
import * as onFastify from '@healix/fastify';
import * as onKoa from '@healix/koa';
import Router from '@koa/router';
import express from 'express';
import Fastify from 'fastify';
import Koa from 'koa';
import { obey } from './commands.ts';

const [, , framework = '', upstream = ''] = process.argv;
const runtime = createHealing({
  shared: false,
  defaults: { circuit: { consecutiveFailures: 5, probes: 1, probeTimeoutMs: 2_000, rampMs: 0 } },
});

/** What takes longer than 2 s is too late on all routes: for its client, or in its target's eyes. */
const SETTINGS = {
  '/limited': { deadlineMs: 2_000 },
  '/measured': { circuit: { slowCallMs: 2_000, minimumCalls: 5 } },
  '/abandoned': { timeoutMs: 2_000 },
  '/probed': {},
};
/** After so long another stall is a surprise. */
const RARE_MS = 10_500;
type Path = keyof typeof SETTINGS;
const paths = Object.keys(SETTINGS) as Path[];

const ask = async (path: string) => (await fetch(upstream + path)).status;

async function fastify(): Promise<Server> {
  const app = Fastify();
  await app.register(onFastify.healing, { runtime });
  for (const path of paths) {
    app.get(path, { config: { healing: SETTINGS[path] } }, async (_request, reply) =>
      reply.code(await ask(path)).send('x'),
    );
  }
  await app.ready();
  return app.server;
}

function koa(): Server {
  const app = new Koa();
  const router = new Router();
  app.use(onKoa.healing(runtime));
  for (const path of paths) {
    router.get(path, onKoa.heal(SETTINGS[path]), async (ctx) => {
      ctx.status = await ask(path);
    });
  }
  app.use(router.routes());
  return createServer(app.callback());
}

function onExpressServer(): Server {
  const app = express();
  app.use(onExpress.healing({ runtime, deadlineAnswer: true }));
  for (const path of paths) {
    app.get(path, onExpress.heal(SETTINGS[path]), async (_req, res) => {
      res.status(await ask(path)).send('x');
    });
  }
  return createServer(app);
}

const makers: Record<string, () => Server | Promise<Server>> = { fastify, koa, express: onExpressServer };
const server = (await makers[framework]?.()) as Server;
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

obey({
  origin: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  /** Has the next request of a route be a probe. */
  async halfOpen(path: Path) {
    await runtime.target(`route:GET ${path}`).force('open');
    await runtime.target(`route:GET ${path}`).force(null);
  },
  target(path: Path) {
    const { state, counts, inFlight } = runtime.target(`route:GET ${path}`).status();
    const { success, failure, ignored, slow } = counts;
    return { state, success, failure, ignored, slow, inFlight };
  },
  /** Starting blocks the event loop: a stall soon after is no surprise. Resolves once there has been none for long enough. */
  async calm() {
    for (let seen = -1; seen !== runtime.status().stalls; ) {
      seen = runtime.status().stalls;
      if (seen > 0) await setTimeout(RARE_MS);
    }
    return runtime.status().stalls;
  },
  incidents: () => runtime.incidents().length,
  stalls: () => runtime.status().stalls,
});
