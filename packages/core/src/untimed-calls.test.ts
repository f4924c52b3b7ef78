import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { sendAnswer } from './http/answers.ts';
import { Inbound } from './http/inbound.ts';
import type { RawResponse } from './http/raw.ts';
import type { RunOptions } from './run-options.ts';
import { createTestHealing } from './testing.ts';
import { TICK_MS } from './time/coarse-time.ts';

const LIMIT_MS = 300;
/** One to be found on the wheel by a tick, and one until the tick past the deadline. */
const LATEST_MS = 2 * TICK_MS;

const never = () => new Promise<never>(() => {});

/** So many calls that the clock is read for few of the next ones. */
async function setup() {
  const { runtime, clock } = createTestHealing({ defaults: { retry: { maxRetries: 0 } } });
  const target = runtime.target('upstream:a');
  for (let i = 0; i < 20_000; i++) target.release(target.acquire() as never, 'success');
  await clock.advance(TICK_MS);
  return { runtime, clock, target };
}

// Real stalls are in `test/stalls`.
describe.each([
  ['with the tick', 0, 0],
  ['between two ticks', 13, 0],
  ['after a block that is no stall', 5, 90],
  ['after one that is longer than their time', 5, 1_000],
])('calls that are not timed, and begin %s, have all of their time', (_when, idleMs, blockMs) => {
  async function begin() {
    const world = await setup();
    await world.clock.advance(idleMs);
    world.clock.block(blockMs);
    return world;
  }

  test.each<[string, RunOptions, number?]>([
    ['an attempt', { timeoutMs: LIMIT_MS }],
    ['a whole call', { deadlineMs: LIMIT_MS }],
    ['a fallback that takes its time', { deadlineMs: LIMIT_MS, fallback: never }, 1_000],
    ['a fallback with the time of its call', { deadlineMs: 2_000, fallback: never }, 2_000],
  ])('%s', async (_what, options, limitMs = LIMIT_MS) => {
    const { clock, target } = await begin();
    const start = clock.now();
    const took: number[] = [];
    for (let i = 0; i < 10; i++) {
      const failed = () => Promise.reject(new Error('no'));
      const call = target.run<unknown>(options.fallback ? failed : never, options as RunOptions<unknown>);
      call.catch(() => took.push(clock.now() - start));
    }
    await clock.advance(limitMs + LATEST_MS);
    expect(took).toHaveLength(10);
    expect(Math.min(...took)).toBeGreaterThanOrEqual(limitMs);
  });

  test('a request', async () => {
    const { runtime, clock } = await begin();
    const inbound = new Inbound<RawResponse>(runtime, { refuse: sendAnswer, answerLate: sendAnswer });
    const route = inbound.routes.get('route:GET /', { deadlineMs: LIMIT_MS });
    let admitted = 0;
    const server = http.createServer((req, res) => {
      inbound.admit(req, res, route, res);
      admitted++;
    });
    await new Promise<void>((resolve) => server.listen(0, resolve));
    const { port } = server.address() as AddressInfo;
    let answered = 0;
    const answers = Array.from({ length: 10 }, async () => {
      const { status } = await fetch(`http://127.0.0.1:${port}`);
      answered++;
      return status;
    });
    await expect.poll(() => admitted).toBe(10);
    await clock.advance(LIMIT_MS - 1);
    expect(runtime.target('route:GET /').status().inFlight).toBe(10);
    expect(answered).toBe(0);
    await clock.advance(LATEST_MS + 1);
    expect(new Set(await Promise.all(answers))).toEqual(new Set([504]));
    server.close();
  });
});

test('a call that is repeated has all of its time, and no more', async () => {
  const { clock, target } = await setup();
  target.update({ retry: { maxRetries: 5, baseDelayMs: 20, maxDelayMs: 20 }, timeoutMs: 400 });
  clock.block(500);
  const start = clock.now();
  let took = 0;
  target.run(never, { deadlineMs: 1_000, idempotent: true }).catch(() => {
    took = clock.now() - start;
  });
  await clock.advance(1_000 + LATEST_MS);
  expect(took).toBeGreaterThanOrEqual(1_000);
});
