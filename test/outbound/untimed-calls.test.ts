import { type AddressInfo, createServer } from 'node:net';
import { createTestHealing } from '@healix/core/testing';
import { healingDispatcher } from '@healix/undici';
import { expect, onTestFinished, test } from 'vitest';
import { undici8 } from './clients.ts';

const LIMIT_MS = 300;
/** A tick of 20 ms to be found by, and one until the tick past the deadline. */
const LATEST_MS = 40;

/** A server that answers with `head`, and then is silent. */
async function silentServer(head: string): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(head);
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

// Past some 64 calls a tick the clock is read for few of them.
test.each([
  ['an attempt', { timeoutMs: LIMIT_MS }, ''],
  ['a whole request', { deadlineMs: LIMIT_MS }, ''],
  ['a body', { deadlineMs: LIMIT_MS }, 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n'],
])('after a block of the event loop %s of an untimed call has all of its time', async (_, healing, head) => {
  const { runtime, clock } = createTestHealing({ defaults: { retry: { maxRetries: 0 } } });
  const busy = runtime.target('upstream:busy');
  for (let i = 0; i < 20_000; i++) busy.release(busy.acquire() as never, 'success');
  await clock.advance(20);
  clock.block(1_000);
  const start = clock.now();
  const took: number[] = [];
  const agent = new undici8.Agent();
  onTestFinished(() => agent.destroy());
  const dispatcher = healingDispatcher(agent, { runtime });
  const origin = await silentServer(head);
  let begun = 0;
  const read = ({ body }: Awaited<ReturnType<typeof undici8.request>>) => {
    begun++;
    return body.text();
  };
  for (let i = 0; i < 10; i++) {
    const answer = undici8.request(origin, { dispatcher, healing });
    const ended = head === '' ? answer : answer.then(read);
    ended.catch(() => took.push(clock.now() - start));
  }
  if (head !== '') await expect.poll(() => begun).toBe(10);
  await clock.advance(LIMIT_MS - 1);
  expect(took).toEqual([]);
  await clock.advance(LATEST_MS + 1);
  await expect.poll(() => took).toHaveLength(10);
});
