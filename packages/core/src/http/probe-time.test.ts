import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { createTestHealing } from '../testing.ts';
import { sendAnswer } from './answers.ts';
import { Inbound } from './inbound.ts';
import type { RawResponse } from './raw.ts';

const PROBE_MS = 500;
const HALF = 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nhi';

let server: http.Server;

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** A half-open circuit whose one probe has sent half of its body. */
async function probe() {
  const circuit = { openMs: 1_000, probes: 1, probeTimeoutMs: PROBE_MS, rampMs: 0 };
  const { runtime, clock } = createTestHealing({ defaults: { circuit } });
  const inbound = new Inbound<RawResponse>(runtime, { refuse: sendAnswer, answerLate: sendAnswer });
  let read = '';
  server = http.createServer(async (req, res) => {
    if (!inbound.admit(req, res, inbound.routes.get('route:POST /'), res)) return;
    for await (const chunk of req) read += chunk;
    res.end();
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const target = runtime.target('route:POST /');
  for (let i = 0; i < 5; i++) await target.run(() => Promise.reject(new Error('no'))).catch(() => {});
  await clock.advance(1_300);
  const client = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.write(HALF);
  await expect.poll(() => read).toBe('hi');
  return { clock, target, client };
}

/** The client sends the rest, and its answer comes. */
async function finish(client: net.Socket): Promise<string> {
  const answer = new Promise<string>((resolve) => client.once('data', (data) => resolve(String(data))));
  client.write('ho');
  return answer;
}

test('a probe whose client is still sending loses no time while the process is blocked', async () => {
  const { clock, target, client } = await probe();
  await clock.advance(100);
  clock.block(700);
  await clock.advance(150);
  expect(await finish(client)).toMatch(/^HTTP\/1.1 200/);
  await expect.poll(() => target.state).toBe('closed');
});

test('its place is given back when its own time is over, blocks left out', async () => {
  const { clock, target, client } = await probe();
  for (let i = 0; i < 2; i++) {
    await clock.advance(100);
    clock.block(700);
  }
  await clock.advance(PROBE_MS - 300);
  expect(target.acquire().ok).toBe(false);
  await clock.advance(120);
  expect(target.acquire().ok).toBe(true);
  expect(await finish(client)).toMatch(/^HTTP\/1.1 200/);
  expect(target.state).toBe('half-open');
});
