import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { createHealing, type Healing } from '@healix/core';
import { SteadyClock } from '@healix/core/testing';
import Router from '@koa/router';
import Koa from 'koa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { healing, healthEndpoint } from './index.ts';

let runtime: Healing;
let server: Server | undefined;

beforeEach(() => {
  runtime = createHealing({ shared: false, clock: new SteadyClock() });
});

afterEach(async () => {
  server?.close();
  await runtime.close();
});

async function listen(path: string, ...routes: [method: 'get' | 'post', pattern: string][]): Promise<string> {
  const app = new Koa();
  app.use(healing({ runtime, policy: { deny: 'closed' } }));
  app.use(healthEndpoint({ runtime, path }));
  const router = new Router();
  for (const [method, pattern] of routes) {
    router[method](pattern, (ctx) => {
      ctx.body = 'unhealed';
    });
  }
  app.use(router.routes());
  server = app.listen(0);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('at the root, it answers its own paths and leaves all others healed', async () => {
  const base = await listen('/', ['get', '/users/:id']);
  for (const path of ['/', '/live', '/ready', '/metrics']) {
    expect((await fetch(base + path)).status).toBe(200);
  }
  expect((await fetch(`${base}/users/1`)).status).toBe(403);
  expect((await fetch(`${base}/nowhere`)).status).toBe(403);
});

test('what it does not answer itself is healed: other paths below it, and other methods', async () => {
  const base = await listen('/health/', ['get', '/health/records/:id'], ['post', '/health']);
  for (const path of ['/health', '/health/', '/health/live', '/health/ready', '/health/metrics']) {
    expect((await fetch(base + path)).status).toBe(200);
    expect((await fetch(base + path, { method: 'HEAD' })).status).toBe(200);
  }
  expect((await fetch(`${base}/health/records/1`)).status).toBe(403);
  expect((await fetch(`${base}/health`, { method: 'POST' })).status).toBe(403);
  expect(Object.keys(runtime.status().targets).sort()).toEqual([
    'route:GET /health/records/:id',
    'route:POST /health',
  ]);
});

test.each([
  [{ path: 5 }, 'path'],
  [{ path: null }, 'path'],
  [{ path: 'health' }, 'path'],
  [{ path: '' }, 'path'],
  [{ path: '/health?x' }, 'path'],
  [{ pathh: '/x' }, 'pathh'],
  [{ detail: true }, 'detail'],
  [{ details: 'yes' }, 'details'],
  [{ runtime: {} }, 'runtime'],
  [null, 'options'],
  ['/health', 'options'],
])('a wrong option is named: %o', (options, path) => {
  expect(() => healthEndpoint(options as never)).toThrow(
    expect.objectContaining({ code: 'HEALIX_CONFIG', path }),
  );
});
