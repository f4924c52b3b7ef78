import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createHealing } from '@healix/core';
import { heal, healing, healthEndpoint } from '@healix/express';
import express from 'express';

const runtime = createHealing();
const app = express();
app.use('/health', healthEndpoint());
app.use(healing());
app.get('/users/:id', heal({ deadlineMs: 2_000 }), (req, res) => {
  res.json({ id: req.params.id, late: req.healing.signal.aborted });
});

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
