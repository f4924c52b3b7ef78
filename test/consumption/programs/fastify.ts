import { createHealing } from '@healix/core';
import { healing, healthEndpoint } from '@healix/fastify';
import Fastify from 'fastify';

const runtime = createHealing();
const app = Fastify({ forceCloseConnections: true });

async function main(): Promise<void> {
  await app.register(healing, { deadlineMs: 5_000 });
  await app.register(healthEndpoint, { prefix: '/health' });
  app.get<{ Params: { id: string } }>(
    '/users/:id',
    { config: { healing: { deadlineMs: 2_000 } } },
    async (request) => ({ id: request.params.id, late: request.healing.signal.aborted }),
  );
  const origin = await app.listen({ port: 0, host: '127.0.0.1' });
  const users = runtime.target('route:GET /users/:id');

  const answer: unknown = await (await fetch(`${origin}/users/7`)).json();
  await users.force('open');
  const refused = (await fetch(`${origin}/users/8`)).status;
  const health = (await fetch(`${origin}/health/live`)).status;
  console.log(JSON.stringify({ answer, refused, health, success: users.status().counts.success }));

  await app.close();
  await runtime.close();
}

void main();
