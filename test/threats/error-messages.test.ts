import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHealing, isHealixError } from '@healix/core';
import express, { type ErrorRequestHandler } from 'express';
import Fastify from 'fastify';
import Koa from 'koa';
import { expect, it } from 'vitest';

const UPSTREAM = 'upstream:https://payments.internal';
const runtime = createHealing({ shared: false });
const upstream = runtime.target(UPSTREAM);
await upstream.force('open');
const handler = () => upstream.run(() => 'paid');

async function told(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await (await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)).text();
  } finally {
    server.close();
  }
}

function ofExpress(env: string, answerError?: ErrorRequestHandler): RequestListener {
  const app = express();
  app.set('env', env);
  app.get('/', handler);
  if (answerError !== undefined) app.use(answerError);
  return app;
}

function ofKoa(): RequestListener {
  const app = new Koa();
  app.silent = true;
  app.use(handler);
  return app.callback();
}

async function ofFastify(kept: boolean): Promise<RequestListener> {
  const app = Fastify();
  if (kept) {
    app.setErrorHandler((error, _request, reply) => {
      if (!isHealixError(error)) throw error;
      return reply.code(503).send({ error: 'try again later' });
    });
  }
  app.get('/', handler);
  await app.ready();
  return (req, res) => app.routing(req, res);
}

const keepIn: ErrorRequestHandler = (error, _req, res, next) => {
  if (res.headersSent || !isHealixError(error)) next(error);
  else res.status(503).json({ error: 'try again later' });
};

it('a refusal that a handler lets through names the upstream where the framework tells messages', async () => {
  expect(await told(await ofFastify(false))).toContain(UPSTREAM);
  expect(await told(ofExpress('test'))).toContain(UPSTREAM);
  expect(await told(ofExpress('production'))).not.toContain('upstream');
  expect(await told(ofKoa())).not.toContain('upstream');
});

it('an error handler, as the guides have it, keeps the name in', async () => {
  const answer = '{"error":"try again later"}';
  expect(await told(await ofFastify(true))).toBe(answer);
  expect(await told(ofExpress('test', keepIn))).toBe(answer);
});
