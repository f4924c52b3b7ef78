import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHealing } from '@healix/core';
import { healingDispatcher } from '@healix/undici';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, expect, it } from 'vitest';

let asked = 0;
const upstream = createServer((req, res) => {
  asked++;
  req.resume();
  res.writeHead(503).end();
});
let origin = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
});
afterAll(() => {
  upstream.closeAllConnections();
  upstream.close();
});

/** What a proxy does that passes on all that its client sent. Names of the targets that there are then. */
async function passOn(headers: Record<string, string>, options?: { key: () => string }): Promise<string[]> {
  const runtime = createHealing({ shared: false });
  const agent = new Agent();
  const dispatcher = healingDispatcher(agent, { runtime, ...options });
  const { body } = await request(origin, { method: 'POST', body: 'x', headers, dispatcher });
  await body.dump();
  await agent.close();
  return Object.keys(runtime.status().targets);
}

it('Host names the target of an upstream that is called by its address, unless there is a key', async () => {
  const host = { host: 'payments.internal' };
  expect(await passOn(host)).toEqual(['upstream:http://payments.internal']);
  expect(await passOn(host, { key: () => 'orders' })).toEqual(['upstream:orders']);
});

it('Idempotency-Key has a POST repeated', async () => {
  asked = 0;
  await passOn({});
  expect(asked).toBe(1);
  await passOn({ 'idempotency-key': 'forged' });
  expect(asked).toBeGreaterThan(2);
});
