import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createHealing } from '@healix/core';
import { type HealingContext, heal, healing, healthEndpoint } from '@healix/koa';
import Router from '@koa/router';
import Koa from 'koa';

const runtime = createHealing();
const app = new Koa<Koa.DefaultState, HealingContext>();
const router = new Router<Koa.DefaultState, HealingContext>();
app.use(healthEndpoint({ path: '/health' }));
app.use(healing());
router.get('/users/:id', heal({ deadlineMs: 2_000 }), (ctx) => {
  ctx.body = { id: ctx.params.id, late: ctx.healing.signal.aborted };
});
app.use(router.routes());

async function main(): Promise<void> {
  const server = app.listen(0);
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const users = runtime.target('route:GET /users/:id');

  const answer: unknown = await (await fetch(`${origin}/users/7`)).json();
  await users.force('open');
  const refused = (await fetch(`${origin}/users/8`)).status;
  const health = (await fetch(`${origin}/health/live`)).status;
  console.log(JSON.stringify({ answer, refused, health, success: users.status().counts.success }));

  server.close();
  server.closeAllConnections();
  await runtime.close();
}

void main();
