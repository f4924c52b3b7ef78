import { describe, expect, test } from 'vitest';
import type { TargetOptions } from './config/schema.ts';
import { CircuitOpenError } from './errors.ts';
import type { AttemptContext } from './run-options.ts';
import { createTestHealing } from './testing.ts';

/** What other libraries got wrong (FACTS), where it takes more than a breaker to show it. */
function setup(defaults: TargetOptions = {}) {
  const { runtime, clock } = createTestHealing({ defaults: { retry: { maxRetries: 0 }, ...defaults } });
  return { runtime, clock, target: runtime.target('upstream:a') };
}

const never = () => new Promise<never>(() => {});
const fail = () => Promise.reject(new Error('no'));
const quiet = (call: Promise<unknown>) => call.catch((error) => error);

describe('opossum 10', () => {
  test('a manual opening is not undone by a timer', async () => {
    const { target, clock } = setup({ circuit: { openMs: 100 } });
    await target.force('open');
    for (let i = 0; i < 50; i++) {
      await clock.advance(1_000);
      expect(await quiet(target.run(() => 1))).toBeInstanceOf(CircuitOpenError);
    }
  });

  test("rates include neither refusals nor a caller's own aborts", async () => {
    const { target, clock } = setup();
    for (let i = 0; i < 200; i++) {
      const controller = new AbortController();
      const call = quiet(target.run(never, { signal: controller.signal }));
      controller.abort();
      await call;
    }
    expect(target.status()).toMatchObject({
      state: 'closed',
      failureRate: 0,
      counts: { ignored: 200, failure: 0 },
    });
    await target.force('open');
    for (let i = 0; i < 500; i++) await quiet(target.run(() => 1));
    await target.force(null);
    for (let i = 0; i < 2; i++) await target.run(() => 1);
    expect(target.state).toBe('closed');
    await clock.advance(2_000);
    let failures = 0;
    while (target.state === 'closed') {
      await quiet(target.run(fail));
      failures++;
    }
    expect(failures).toBe(5);
  });

  test('one abort controller does not cancel healthy siblings: each attempt has its own', async () => {
    const { target, clock } = setup({ timeoutMs: 100, retry: { maxRetries: 1, baseDelayMs: 0 } });
    const signals: AbortSignal[] = [];
    const hang = ({ signal }: AttemptContext) => {
      signals.push(signal);
      return never();
    };
    const call = quiet(target.run(hang, { idempotent: true }));
    await clock.advance(150);
    const sibling = target.run(
      ({ signal }) =>
        new Promise((end, abort) => {
          signal.addEventListener('abort', () => abort(signal.reason));
          clock.setTimer(() => end('fine'), 90);
        }),
    );
    await clock.advance(200);
    await call;
    expect(await sibling).toBe('fine');
    expect(new Set(signals).size).toBe(2);
  });

  test('one probe that never settles, without a timeout, does not refuse all callers for ever', async () => {
    const { runtime, clock } = setup({ circuit: { probes: 1 } });
    const route = runtime.target('route:GET /a');
    for (let i = 0; i < 5; i++) await quiet(route.run(fail));
    await clock.advance(1_500);
    const probe = quiet(route.run(never));
    expect(route.acquire().ok).toBe(false);
    await clock.advance(4_000);
    expect((await probe) as Error).toMatchObject({ code: 'HEALIX_DEADLINE' });
    expect(await route.run(() => 'well again')).toBe('well again');
    expect(route.state).toBe('closed');
  });

  test('one timer for all calls (opossum 809)', async () => {
    const { target, clock } = setup();
    for (let i = 0; i < 1_000; i++) quiet(target.run(never));
    expect(clock.pending).toBe(1);
  });
});

describe('cockatiel 4', () => {
  test('callers beyond a hung probe are refused, or fall back, at once; none is queued', async () => {
    const { target, clock } = setup({ circuit: { probes: 1 } });
    for (let i = 0; i < 5; i++) await quiet(target.run(fail));
    await clock.advance(1_500);
    quiet(target.run(never));
    const calls = Array.from({ length: 1_000 }, (_, i) =>
      quiet(target.run<string>(() => 'called', i % 2 ? { fallback: () => 'cached' } : {})),
    );
    const ends = await Promise.all(calls);
    expect(ends.filter((end) => end instanceof CircuitOpenError)).toHaveLength(500);
    expect(ends.filter((end) => end === 'cached')).toHaveLength(500);
    expect(target.monitor.inFlight).toBe(1);
  });
});

describe('@fastify/circuit-breaker 4', () => {
  test('an open circuit is not forgotten, however many other targets there are', async () => {
    const { runtime, clock } = createTestHealing({ maxTargets: 500, defaults: { retry: { maxRetries: 0 } } });
    const first = runtime.target('upstream:first');
    await first.force('open');
    for (let i = 0; i < 2_000; i++) await runtime.target(`upstream:${i}`).run(() => 1);
    await clock.advance(2_000);
    expect(runtime.target('upstream:first')).toBe(first);
    expect(first.state).toBe('open');
  });
});

describe('gobreaker 2', () => {
  test('no lock is held around a call: a hundred of one target run beside each other', async () => {
    const { target } = setup();
    let running = 0;
    let end!: () => void;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const calls = Array.from({ length: 100 }, () =>
      target.run(async () => {
        running++;
        await ended;
      }),
    );
    expect(running).toBe(100);
    end();
    await Promise.all(calls);
    expect(target.status().counts.success).toBe(100);
  });
});

describe('resilience4ts', () => {
  test('no round trip a call: it begins in the same tick, and so does its refusal (resilience4j 1284)', async () => {
    const { target } = setup();
    let called = false;
    const call = target.run(() => {
      called = true;
    });
    expect(called).toBe(true);
    await call;
    await target.force('open');
    let told: unknown;
    target
      .run(() => 1, { fallback: () => 2 })
      .then((answer) => {
        told = answer;
      });
    await Promise.resolve().then(() => {});
    expect(told).toBe(2);
  });
});

describe('Polly', () => {
  test('repeats have a budget with a floor a second, taken before the back-off (2348; envoy 30205)', async () => {
    const retry = { maxRetries: 3, budget: 0.2, budgetPerSecond: 1, baseDelayMs: 500 };
    const { target, clock } = setup({ retry, circuit: { consecutiveFailures: 1_000, minimumCalls: 10_000 } });
    const alone = quiet(target.run(fail, { idempotent: true }));
    await clock.advance(10_000);
    await alone;
    // Few calls: the floor is enough for all their repeats.
    expect(target.status().counts.retries).toBe(3);
    await clock.advance(10_000);
    const storm = Array.from({ length: 100 }, () => quiet(target.run(fail, { idempotent: true })));
    await clock.advance(10_000);
    await Promise.all(storm);
    // A share of the hundred, and the floor of ten seconds; all hundred waited at the same time.
    expect(target.status().counts.retries - 3).toBeLessThanOrEqual(0.2 * 100 + 10);
    expect(target.status().counts.retries - 3).toBeGreaterThan(10);
  });

  test('a refusal as an error builds no stack', async () => {
    const { target } = setup();
    await target.force('open');
    const error = await quiet(target.run(() => 1));
    expect((error as Error).stack).not.toContain('    at ');
  });
});
