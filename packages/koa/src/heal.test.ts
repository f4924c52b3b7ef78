import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { createHealing, type Healing } from '@healix/core';
import { SteadyClock } from '@healix/core/testing';
import Router from '@koa/router';
import Koa from 'koa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { heal, healing } from './index.ts';

let runtime: Healing;
let app: Koa;
let server: Server | undefined;

beforeEach(() => {
  runtime = createHealing({ shared: false, clock: new SteadyClock() });
  app = new Koa();
});

afterEach(async () => {
  server?.close();
  await runtime.close();
});

async function get(...stack: ReturnType<typeof heal>[]): Promise<number> {
  const router = new Router();
  router.get('/a', ...stack, (ctx) => {
    ctx.body = 'ok';
  });
  app.use(router.routes());
  server = app.listen(0);
  await once(server, 'listening');
  return (await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/a`)).status;
}

const settings = () => runtime.target('route:GET /a').settings;
const STACK = () => [
  heal({ deadlineMs: 2_000, policy: { concurrency: 7, deny: 'closed' } }),
  heal({ deadlineMs: 3_000, runtime, policy: { denyStatus: 451 } }),
];
const MERGED = { deadlineMs: 3_000, policy: { concurrency: 7, deny: 'closed', denyStatus: 451 } };

test('several beside one route are merged below healing, the later over the earlier', async () => {
  app.use(healing(runtime));
  expect(await get(...STACK())).toBe(451);
  expect(settings()).toMatchObject(MERGED);
});

test('several beside one route are merged where they stand alone, the runtime too', async () => {
  expect(await get(...STACK())).toBe(451);
  expect(settings()).toMatchObject(MERGED);
});

test('below healing, the runtime is that of healing', async () => {
  const other = createHealing({ shared: false, clock: new SteadyClock() });
  app.use(healing(runtime));
  expect(await get(heal({ runtime: other, deadlineMs: 2_000 }))).toBe(200);
  expect(Object.keys(other.status().targets)).toEqual([]);
  expect(settings().deadlineMs).toBe(2_000);
  await other.close();
});

test('a runtime alone is one', async () => {
  expect(await get(heal(runtime))).toBe(200);
  expect(Object.keys(runtime.status().targets)).toEqual(['route:GET /a']);
});

test.each([
  [{ name: () => 'x' }, 'name'],
  [{ onRefused: () => undefined }, 'onRefused'],
  [{ maxNames: 5 }, 'maxNames'],
  [{ deadlinMs: 5 }, 'deadlinMs'],
  [{ runtime: {} }, 'runtime'],
  [{ circuit: { openMs: 5_000, maxOpenMs: 100 } }, 'heal.circuit.maxOpenMs'],
  [null, 'options'],
])('what it does not honour is a ConfigError: %o', (options, path) => {
  expect(() => heal(options as never)).toThrow(expect.objectContaining({ code: 'HEALIX_CONFIG', path }));
});
