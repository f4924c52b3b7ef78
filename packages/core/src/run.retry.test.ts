import { describe, expect, test } from 'vitest';
import type { TargetOptions } from './config/schema.ts';
import type { RunOptions } from './run-options.ts';
import { createTestHealing } from './testing.ts';

const NO_TRIP = { consecutiveFailures: 1_000, minimumCalls: 100_000 };

function setup(settings: TargetOptions = {}) {
  const { runtime, clock } = createTestHealing({ defaults: { circuit: NO_TRIP, ...settings } });
  const target = runtime.target('upstream:a');
  return { runtime, clock, target, counts: () => target.status().counts };
}
type World = ReturnType<typeof setup>;

/** Calls `answers` one after the other, the last one for ever; tells when each attempt began. */
async function play({ target, clock }: World, answers: (() => unknown)[], options: RunOptions, ms = 20_000) {
  const times: number[] = [];
  const start = clock.now();
  const call = target
    .run(async ({ attempt }) => {
      times.push(clock.now() - start);
      expect(attempt).toBe(times.length);
      return answers[Math.min(times.length, answers.length) - 1]?.();
    }, options)
    .then((value) => ({ value }))
    .catch((error) => ({ error }));
  await clock.advance(ms);
  return { times, end: (await call) as { value?: unknown; error?: unknown } };
}

const fail = () => {
  throw new Error('no');
};

describe('which calls are repeated', () => {
  test.each<[RunOptions, number]>([
    [{}, 1],
    [{ idempotent: true }, 3],
    [{ idempotent: false, method: 'GET' }, 1],
    [{ method: 'GET' }, 3],
    [{ method: 'get' }, 3],
    [{ method: 'PUT' }, 3],
    [{ method: 'POST' }, 1],
    [{ method: 'PATCH' }, 1],
    [{ method: 'POST', idempotencyKey: true }, 3],
    [{ method: 'POST', idempotent: true }, 3],
  ])('%j: %i attempts', async (options, attempts) => {
    const world = setup();
    const { times, end } = await play(world, [fail], options);
    expect(times).toHaveLength(attempts);
    expect(end.error).toMatchObject({ message: 'no' });
    expect(world.counts()).toMatchObject({ failure: attempts, retries: attempts - 1 });
  });

  test('which methods are safe is a policy', async () => {
    const world = setup({ policy: { retryMethods: ['POST'] } });
    expect((await play(world, [fail], { method: 'POST' })).times).toHaveLength(3);
    expect((await play(world, [fail], { method: 'GET' })).times).toHaveLength(1);
  });

  test('a success ends it; a 4xx is one, thrown or not', async () => {
    const world = setup();
    const good = await play(world, [fail, () => 'good'], { idempotent: true });
    expect(good).toMatchObject({ end: { value: 'good' }, times: [0, expect.any(Number)] });
    const missing = { status: 404 };
    expect((await play(world, [() => missing], { method: 'GET' })).times).toHaveLength(1);
    const thrown = () => Promise.reject(Object.assign(new Error('404'), { response: missing }));
    expect((await play(world, [thrown], { method: 'GET' })).times).toHaveLength(1);
  });

  test('timeouts and 5xx answers are repeated; the last real answer is returned', async () => {
    const world = setup({ timeoutMs: 100 });
    const answer = { status: 502 };
    const { times, end } = await play(world, [() => new Promise(() => {}), fail, () => answer], {
      method: 'GET',
    });
    expect(times).toHaveLength(3);
    expect(end.value).toBe(answer);
  });

  test('an earlier answer is never played over a later error', async () => {
    const { end } = await play(setup(), [() => ({ status: 503 }), () => ({ status: 503 }), fail], {
      method: 'GET',
    });
    expect(end.error).toMatchObject({ message: 'no' });
  });

  test('maxRetries 0 repeats nothing', async () => {
    const world = setup({ retry: { maxRetries: 0 } });
    expect((await play(world, [fail], { idempotent: true })).times).toHaveLength(1);
  });
});

describe('the circuit', () => {
  test('opening in a back-off ends the call with its last real answer', async () => {
    const world = setup({ retry: { baseDelayMs: 1_000, maxDelayMs: 1_000 } });
    const answer = { status: 500 };
    const call = world.target.run(() => answer, { idempotent: true });
    await world.clock.advance(0);
    await world.target.force('open');
    await world.clock.advance(2_000);
    expect(await call).toBe(answer);
    expect(world.counts()).toMatchObject({ failure: 1, retries: 0 });
  });

  test('a probe is never repeated', async () => {
    const world = setup({ circuit: { probes: 3 } });
    await world.target.force('open');
    await world.target.force(null);
    expect(world.target.state).toBe('half-open');
    const { times, end } = await play(world, [fail], { idempotent: true }, 500);
    expect(times).toHaveLength(1);
    expect(end.error).toMatchObject({ message: 'no' });
  });
});

describe('the wait', () => {
  test('is random up to a bound that doubles, and never longer than maxDelayMs', async () => {
    const world = setup({
      retry: { maxRetries: 5, baseDelayMs: 100, maxDelayMs: 300, budgetPerSecond: 100 },
    });
    const draws = [1, 1, 1, 1, 1];
    world.target.random.next = () => draws.shift() ?? 0.5;
    const { times } = await play(world, [fail], { idempotent: true });
    const waits = times.slice(1).map((at, index) => at - (times[index] as number));
    for (const [index, bound] of [100, 200, 300, 300, 300].entries()) {
      expect(waits[index]).toBeGreaterThanOrEqual(bound);
      expect(waits[index]).toBeLessThanOrEqual(bound + 20);
    }
  });

  test('starts from nothing: jitter is full', async () => {
    const world = setup({ retry: { baseDelayMs: 1_000, maxDelayMs: 1_000 } });
    world.target.random.next = () => 0;
    const { times } = await play(world, [fail], { idempotent: true });
    expect(Math.max(...times)).toBeLessThanOrEqual(60);
  });

  test("an abort of the caller's ends it at once, and no attempt follows", async () => {
    const world = setup({ retry: { baseDelayMs: 1_000 } });
    world.target.random.next = () => 0.9;
    const controller = new AbortController();
    let attempts = 0;
    const call = world.target.run(
      () => {
        attempts++;
        fail();
      },
      { idempotent: true, signal: controller.signal },
    );
    await world.clock.advance(100);
    controller.abort(new Error('gone'));
    await expect(call).rejects.toThrow('gone');
    await world.clock.advance(5_000);
    expect(attempts).toBe(1);
    expect(world.counts()).toMatchObject({ failure: 1, ignored: 0, retries: 0 });
  });

  test('a caller who gave up while the failure was judged is not repeated for', async () => {
    const controller = new AbortController();
    const world = setup({
      classify: () => {
        controller.abort(new Error('gone'));
        return 'failure';
      },
    });
    const { times, end } = await play(world, [fail], { idempotent: true, signal: controller.signal });
    expect(times).toHaveLength(1);
    expect(end.error).toMatchObject({ message: 'gone' });
  });
});

describe('Retry-After', () => {
  const date = (clock: World['clock'], ms: number) => new Date(clock.wall() + ms).toUTCString();
  const forms: [string, (world: World) => unknown][] = [
    ['of fetch', () => new Response('', { status: 503, headers: { 'retry-after': '2' } })],
    ['of undici and Node', () => ({ statusCode: 503, headers: { 'retry-after': '2' } })],
    ['given twice', () => ({ statusCode: 429, headers: { 'retry-after': ['2', '9'] } })],
    ['as a date', ({ clock }) => ({ status: 503, headers: { 'retry-after': date(clock, 2_000) } })],
    ['of a 500', () => ({ status: 500, headers: { 'retry-after': '2' } })],
    [
      'on an error of axios',
      () =>
        Promise.reject(
          Object.assign(new Error('503'), { response: { status: 503, headers: { 'retry-after': '2' } } }),
        ),
    ],
    [
      'on an error of axios with header methods',
      () =>
        Promise.reject(
          Object.assign(new Error('503'), {
            response: { status: 503, headers: new Headers({ 'retry-after': '2' }) },
          }),
        ),
    ],
    [
      'on an error that carries its own headers (undici)',
      () =>
        Promise.reject(Object.assign(new Error('503'), { statusCode: 503, headers: { 'retry-after': '2' } })),
    ],
  ];

  test.each(forms)('%s is waited for', async (_form, make) => {
    const world = setup();
    const { times, end } = await play(world, [() => make(world), () => 'good'], { method: 'GET' });
    expect(end.value).toBe('good');
    expect(times[1]).toBeGreaterThanOrEqual(1_980);
    expect(times[1]).toBeLessThanOrEqual(2_060);
  });

  test.each(['soon', '-5', '1.5', '', 'Wed, 99 Foo 2026'])(
    '%j makes no sense and is let be',
    async (header) => {
      const bad = { status: 500, headers: { 'retry-after': header } };
      const { times } = await play(setup(), [() => bad, () => 'good'], { method: 'GET' });
      expect(times[1]).toBeLessThanOrEqual(60);
    },
  );

  test('longer than maxRetryAfterMs: the answer is returned as it is, at once', async () => {
    const world = setup({ retry: { maxRetryAfterMs: 1_000 } });
    const answer = { status: 429, headers: { 'retry-after': '2' } };
    const { times, end } = await play(world, [() => answer], { method: 'GET' }, 40);
    expect(times).toHaveLength(1);
    expect(end.value).toBe(answer);
    expect(world.counts()).toMatchObject({ overload: 1, failure: 0 });
  });
});

describe('the budget', () => {
  test('repeats are a share of the calls, with a floor a second for few of them', async () => {
    const few = setup({ retry: { budget: 0.2, budgetPerSecond: 1, maxRetries: 1, baseDelayMs: 0 } });
    for (let i = 0; i < 40; i++) await play(few, [fail], { idempotent: true }, 40);
    // 10 by the floor, 8 by the share of 40 calls.
    expect(few.counts().retries).toBe(18);

    const none = setup({ retry: { budget: 0, budgetPerSecond: 0 } });
    expect((await play(none, [fail], { idempotent: true })).times).toHaveLength(1);
  });

  test('is taken before the wait: calls that wait at the same time cannot all have it', async () => {
    const { target, clock, counts } = setup({
      retry: { budget: 0, budgetPerSecond: 0.3, maxRetries: 1, baseDelayMs: 500 },
    });
    const calls = Array.from({ length: 20 }, () => target.run(fail, { idempotent: true }).catch(() => {}));
    await clock.advance(2_000);
    await Promise.all(calls);
    expect(counts().retries).toBe(3);
  });

  test('calls that were refused earn nothing', async () => {
    const world = setup({ retry: { budget: 1, budgetPerSecond: 0 } });
    await world.target.force('open');
    for (let i = 0; i < 100; i++) await world.target.run(fail).catch(() => {});
    expect(world.target.budget?.available()).toBe(0);
  });
});
