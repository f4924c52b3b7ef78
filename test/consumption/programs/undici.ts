import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHealing, isHealixError } from '@healix/core';
import { healingDispatcher, healingFetch, healingInterceptor } from '@healix/undici';
import { Agent, request } from 'undici';

const runtime = createHealing({ defaults: { retry: { baseDelayMs: 1 } } });
let asked = 0;
const server = createServer((_req, res) => {
  asked++;
  res.writeHead(asked % 2 === 1 ? 503 : 200).end('users');
});

async function main(): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const users = runtime.target(`upstream:${origin}`);

  const composed = new Agent().compose(healingInterceptor());
  const wrapped = healingDispatcher(new Agent());
  const answers: string[] = [];
  for (const dispatcher of [composed, wrapped]) {
    const { body } = await request(origin, { dispatcher, healing: { timeoutMs: 2_000 } });
    answers.push(await body.text());
  }
  const healed = healingFetch(fetch);
  answers.push(await (await healed(origin)).text());
  await users.force('open');
  const refused = await healed(origin).catch((error: unknown) => isHealixError(error, 'HEALIX_CIRCUIT_OPEN'));
  const { success, retries } = users.status().counts;
  console.log(JSON.stringify({ answers, refused, success, retries }));

  await Promise.all([composed.close(), wrapped.close(), runtime.close()]);
  server.close();
  server.closeAllConnections();
}

void main();
