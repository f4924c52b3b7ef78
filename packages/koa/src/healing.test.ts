import type { AddressInfo, Server } from 'node:net';
import { createHealing, type Healing } from '@healix/core';
import { SteadyClock } from '@healix/core/testing';
import Router from '@koa/router';
import Koa from 'koa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type HealingContext, heal, healing, healthEndpoint } from './index.ts';

let runtime: Healing;
let app: Koa<Koa.DefaultState, HealingContext>;
let server: Server;

beforeEach(() => {
  runtime = createHealing({ shared: false, clock: new SteadyClock() });
  app = new Koa();
  app.silent = true;
});

afterEach(async () => {
  server.close();
  await runtime.close();
});

async function listen(): Promise<string> {
  server = await new Promise<Server>((resolve) => {
    const listening: Server = app.listen(0, () => resolve(listening));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const counts = (name: string) => runtime.target(name).status().counts;
const names = () => Object.keys(runtime.status().targets).sort();

test('books what requests came to under the pattern of their route, nested routers included', async () => {
  app.use(healing(runtime));
  const orgs = new Router();
  orgs.get('/users/:id', (ctx) => {
    ctx.body = 'ok';
  });
  const router = new Router({ prefix: '/v1' });
  router.get('/fails', () => {
    throw new Error('no');
  });
  router.get('/bad', (ctx) => ctx.throw(422));
  router.use('/orgs/:org', orgs.routes());
  app.use(router.routes());
  const base = await listen();
  for (const path of ['/v1/orgs/a/users/1', '/v1/fails', '/v1/bad', '/nowhere']) await fetch(base + path);
  await fetch(`${base}/v1/orgs/b/users/3`, { method: 'HEAD' });
  expect(counts('route:GET /v1/orgs/:org/users/:id')).toMatchObject({ success: 2, failure: 0 });
  expect(counts('route:GET /v1/fails')).toMatchObject({ failure: 1 });
  expect(counts('route:GET /v1/bad')).toMatchObject({ success: 1 });
  expect(counts('route:unmatched')).toMatchObject({ success: 1 });
  expect(runtime.status().coverage.namesCorrected).toBe(0);
});

test('of several routes that match, learns which one takes the request', async () => {
  app.use(healing({ runtime }));
  const router = new Router();
  router.get('/users/:id', (_, next) => next());
  router.get('/users/me', (ctx) => {
    ctx.body = 'me';
  });
  app.use(router.routes());
  const base = await listen();
  for (let i = 0; i < 3; i++) await fetch(`${base}/users/me`);
  expect(counts('route:GET /users/me')).toMatchObject({ success: 3 });
  expect(runtime.status().coverage.namesCorrected).toBe(1);
});

test('finds routers that no look at the application shows, once a request went through', async () => {
  app.use(healing({ runtime }));
  const router = new Router();
  router.get('/users/:id', heal({ policy: { concurrency: 7 } }), (ctx) => {
    ctx.body = 'ok';
  });
  const routes = router.routes();
  app.use(async (ctx, next) => {
    if (!ctx.path.startsWith('/api/')) return next();
    const { path } = ctx;
    ctx.path = path.slice('/api'.length);
    Object.assign(ctx, { mountPath: '/api' });
    await routes(ctx as never, next);
    ctx.path = path;
  });
  const base = await listen();
  for (let i = 0; i < 3; i++) await fetch(`${base}/api/users/${i}`);
  expect(counts('route:GET /api/users/:id')).toMatchObject({ success: 3 });
  expect(runtime.target('route:GET /api/users/:id').settings.policy.concurrency).toBe(7);
  expect(runtime.status().coverage.namesCorrected).toBe(1);
  await runtime.target('route:GET /api/users/:id').force('open');
  expect((await fetch(`${base}/api/users/9`)).status).toBe(503);
});

test('heal is read before admission, and the answer says why', async () => {
  let ran = 0;
  app.use(healing({ runtime }));
  const router = new Router();
  router.post('/orders', heal({ policy: { deny: 'closed', denyStatus: 503 } }), (ctx) => {
    ran++;
    ctx.body = 'ok';
  });
  app.use(router.routes());
  const base = await listen();
  const answer = await fetch(`${base}/orders`, { method: 'POST', body: 'x' });
  expect(answer.status).toBe(503);
  expect(answer.headers.get('content-type')).toMatch('application/problem+json');
  expect(answer.headers.get('retry-after')).toBe('1');
  expect(answer.headers.get('connection')).toBe('close');
  expect(await answer.json()).toMatchObject({
    target: 'route:POST /orders',
    reason: 'policy',
    detail: 'closed',
  });
  expect(ran).toBe(0);
});

test('heal alone admits by itself', async () => {
  const router = new Router();
  router.get('/a/:id', heal({ runtime }), (ctx) => {
    ctx.status = 500;
  });
  app.use(router.routes());
  const base = await listen();
  await fetch(`${base}/a/1`);
  expect(counts('route:GET /a/:id')).toMatchObject({ failure: 1 });
  await runtime.target('route:GET /a/:id').force('open');
  expect((await fetch(`${base}/a/1`)).status).toBe(503);
});

test('a late handler is answered for, told, and does no harm when it sends', async () => {
  let reason: unknown;
  app.use(healing({ runtime, deadlineMs: 40 }));
  app.use(async (ctx) => {
    const { signal } = ctx.healing;
    await new Promise((resolve) => setTimeout(resolve, 120));
    reason = signal.reason;
    ctx.body = 'late';
  });
  const answer = await fetch(await listen());
  expect(answer.status).toBe(504);
  expect(await answer.json()).toMatchObject({ reason: 'deadline' });
  await expect.poll(() => reason).toMatchObject({ code: 'HEALIX_DEADLINE' });
  expect(counts('route:unmatched')).toMatchObject({ failure: 1 });
});

test('a response taken over is no longer in flight', async () => {
  let end: (() => void) | undefined;
  app.use(healing({ runtime }));
  app.use((ctx) => {
    ctx.respond = false;
    ctx.res.statusCode = 200;
    end = () => ctx.res.end('done');
  });
  const answer = fetch(await listen());
  await expect.poll(() => end).toBeDefined();
  expect(runtime.target('route:unmatched').status().inFlight).toBe(0);
  end?.();
  expect(await (await answer).text()).toBe('done');
});

test('health answers whatever is shed, and is no target; other names are the user’s', async () => {
  app.use(healing({ runtime, policy: { deny: 'closed' }, name: (ctx) => `GET ${ctx.path} by name` }));
  app.use(healthEndpoint({ runtime, details: true }));
  const base = await listen();
  expect((await fetch(`${base}/x`)).status).toBe(403);
  const health = await fetch(`${base}/health`);
  expect(await health.json()).toMatchObject({ status: 'healthy', targets: expect.anything() });
  expect((await fetch(`${base}/health/live`)).status).toBe(200);
  expect((await fetch(`${base}/health/ready`)).status).toBe(200);
  expect(await (await fetch(`${base}/health/metrics`)).text()).toMatch('healix_');
  await runtime.close();
  expect((await fetch(`${base}/health/ready`)).status).toBe(503);
  expect(names()).toEqual(['route:GET /x by name']);
});
