import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PATIENCE_MS, STALLS, Stallable } from './stallable.ts';
import { Upstream } from './upstream.ts';

interface Told {
  readonly name: string;
  readonly state: string;
  readonly success: number;
  readonly failure: number;
  readonly ignored: number;
  readonly inFlight: number;
}
type Results = Record<string, unknown[]>;

const WAYS = 5;
/** As many failures in a row open a circuit. */
const EACH = 5;

const all = (value: unknown, each = EACH): Results => {
  const results = Array.from({ length: each }, () => value);
  return { run: results, fetch: results, undici8: results, undici7: results, builtIn: results };
};

let upstream: Upstream;
let client: Stallable;

beforeAll(async () => {
  client = await Stallable.start(new URL('./programs/client.ts', import.meta.url));
}, PATIENCE_MS);
beforeEach(async () => {
  upstream = await new Upstream().listen();
  await client.tell('renew');
});
afterEach(() => upstream.close());
afterAll(() => client.kill());

const call = (each = EACH) => client.tell<Results>('call', { origin: upstream.origin, count: each });
/** What no stall of a busy machine has come before: another soon after would be no surprise. */
async function callCalmly(each = EACH): Promise<{ results: Promise<Results> }> {
  for (;;) {
    const results = call(each);
    await upstream.holds(each * WAYS);
    if ((await client.tell('stalls')) === 0) return { results };
    await upstream.answer();
    await results;
    await client.tell('renew');
  }
}
const targets = () => client.tell<Told[]>('targets');

/** Calls until all circuits are open: a busy machine may stall the process by itself, which excuses a failure. */
const openAll = () =>
  expect
    .poll(
      async () => {
        await call();
        return (await targets()).map(({ state }) => state);
      },
      { timeout: 30_000, interval: 0 },
    )
    .not.toContain('closed');

describe.each(STALLS)('calls across %s', (stall) => {
  test('take the answers that came meanwhile, although their time is over', async () => {
    const { results } = await callCalmly();
    await client.stall(stall, () => upstream.answer());
    expect(await results).toEqual(all(200));
    for (const told of await targets()) {
      expect(told).toMatchObject({ state: 'closed', success: EACH, failure: 0, ignored: 0, inFlight: 0 });
    }
    expect(await client.tell('stalls')).toBeGreaterThan(0);
  });

  test('time out without an answer, for which nobody is blamed; the next ones are', async () => {
    const { results } = await callCalmly();
    await client.stall(stall, () => {});
    expect(await results).toEqual(all('HEALIX_DEADLINE'));
    for (const told of await targets()) {
      expect(told).toMatchObject({ state: 'closed', failure: 0, ignored: EACH, inFlight: 0 });
    }
    expect(await client.tell('incidents')).toBe(0);

    await openAll();
  });

  test('close a circuit as its probe, although that took longer than its lease', async () => {
    await client.tell('halfOpen');
    const results = call(1);
    await upstream.holds(WAYS);
    expect(await call(1)).toEqual(all('HEALIX_CIRCUIT_OPEN', 1));
    await client.stall(stall, () => upstream.answer());
    expect(await results).toEqual(all(200, 1));
    for (const told of await targets()) expect(told).toMatchObject({ state: 'closed', success: 1 });
  });
});

test('calls after SIGSTOP are not refused by a circuit whose open time has passed meanwhile', async () => {
  upstream.always(500);
  await openAll();
  upstream.always(200);
  await client.stall('SIGSTOP', () => {});
  expect(await call(1)).toEqual(all(200, 1));
});

describe('the first thing after a blocked event loop', () => {
  test('is a call that no circuit refuses whose open time is over', async () => {
    upstream.always(500);
    await openAll();
    upstream.always(200);
    const calls = { origin: upstream.origin, count: 1 };
    expect(await client.afterBlock('blockAndCall', calls)).toEqual(all(200, 1));
  });

  test('is a call that has all of its time', async () => {
    upstream.always(200);
    await call();
    const calls = { origin: upstream.origin, count: EACH };
    expect(await client.afterBlock('blockAndCall', calls)).toEqual(all(200));
  });
});
