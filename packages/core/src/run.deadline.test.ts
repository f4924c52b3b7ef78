import { describe, expect, test } from 'vitest';
import type { TargetOptions } from './config/schema.ts';
import { DeadlineError } from './errors.ts';
import type { AttemptContext } from './run-options.ts';
import { createTestHealing } from './testing.ts';

function setup(defaults: TargetOptions = {}) {
  const { runtime, clock } = createTestHealing({ defaults });
  const target = runtime.target('upstream:a');
  return { runtime, clock, target, counts: () => target.status().counts };
}

const never = () => new Promise<never>(() => {});
const outcome = (call: Promise<unknown>) => call.then((value) => ({ value })).catch((error) => ({ error }));

describe('timeoutMs', () => {
  test('ends an attempt that hangs and does not listen to its signal', async () => {
    const { target, clock, counts } = setup({ timeoutMs: 200, retry: { maxRetries: 0 } });
    let context: AttemptContext | undefined;
    const call = outcome(
      target.run((given) => {
        context = given;
        return never();
      }),
    );
    await clock.advance(180);
    expect(target.monitor.inFlight).toBe(1);
    await clock.advance(40);
    const { error } = (await call) as { error: DeadlineError };
    expect(error).toBeInstanceOf(DeadlineError);
    expect(error).toMatchObject({ code: 'HEALIX_DEADLINE', target: 'upstream:a' });
    expect(error.message).toContain('the attempt timed out');
    expect(error.stack).not.toContain('    at ');
    expect(context?.signal.reason).toBe(error);
    expect(counts()).toMatchObject({ failure: 1 });
    expect(target.monitor.inFlight).toBe(0);
  });

  test.each([
    ['a late answer', (ok: (value: string) => void) => ok('late')],
    ['a late error', (_ok: unknown, fail: (error: Error) => void) => fail(new Error('late'))],
  ])('%s after it changes nothing, and is no unhandled rejection', async (_what, settle) => {
    const { target, clock, counts } = setup({ timeoutMs: 100, retry: { maxRetries: 0 } });
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    try {
      let end = () => {};
      const slow = new Promise<string>((ok, fail) => {
        end = () => settle(ok, fail);
      });
      const call = outcome(target.run(() => slow));
      await clock.advance(120);
      expect(await call).toMatchObject({ error: { code: 'HEALIX_DEADLINE' } });
      end();
      await clock.advance(100);
      expect(counts()).toMatchObject({ failure: 1, success: 0 });
      expect(target.counts.lateReleases).toBe(0);
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });

  test('of target and call, the shorter is in force', async () => {
    const { target, clock } = setup({ timeoutMs: 500, retry: { maxRetries: 0 } });
    const shorter = outcome(target.run(never, { timeoutMs: 100 }));
    const longer = outcome(target.run(never, { timeoutMs: 5_000 }));
    await clock.advance(120);
    expect(await shorter).toMatchObject({ error: { code: 'HEALIX_DEADLINE' } });
    expect(target.monitor.inFlight).toBe(1);
    await clock.advance(400);
    expect(await longer).toMatchObject({ error: { code: 'HEALIX_DEADLINE' } });
  });

  test('upstreams have one of 10 s by default, routes have none', async () => {
    const { runtime, clock } = setup({ retry: { maxRetries: 0 } });
    const upstream = outcome(runtime.target('upstream:a').run(never));
    const route = runtime.target('route:GET /a');
    route.run(never).catch(() => {});
    await clock.advance(9_900);
    expect(runtime.target('upstream:a').monitor.inFlight).toBe(1);
    await clock.advance(200);
    expect(await upstream).toMatchObject({ error: { code: 'HEALIX_DEADLINE' } });
    await clock.advance(60_000);
    expect(route.monitor.inFlight).toBe(1);
  });
});

describe('deadlineMs', () => {
  test('bounds all attempts and waits together', async () => {
    const { target, clock } = setup({
      timeoutMs: 800,
      deadlineMs: 700,
      retry: { maxRetries: 10, baseDelayMs: 0 },
    });
    let attempts = 0;
    const call = outcome(
      target.run(
        () => {
          attempts++;
          if (attempts < 3) throw new Error('at once');
          return never();
        },
        { idempotent: true },
      ),
    );
    await clock.advance(690);
    expect(attempts).toBe(3);
    expect(target.monitor.inFlight).toBe(1);
    await clock.advance(40);
    const { error } = (await call) as { error: DeadlineError };
    expect(error.message).toContain('the deadline passed');
    expect(attempts).toBe(3);
  });

  test('no repeat is begun that the remainder is too short for, by what calls usually take', async () => {
    const { target, clock, counts } = setup({ deadlineMs: 500, retry: { baseDelayMs: 0 } });
    const takes = (ms: number, end: () => unknown) => () =>
      new Promise((resolve) => clock.setTimer(() => resolve(undefined), ms)).then(end);
    for (let i = 0; i < 5; i++) {
      const usual = target.run(takes(300, () => 'ok'));
      await clock.advance(320);
      await usual;
    }
    const fails = () => {
      throw new Error('no');
    };
    const late = outcome(target.run(takes(260, fails), { idempotent: true }));
    await clock.advance(300);
    expect(await late).toMatchObject({ error: { message: 'no' } });
    expect(counts().retries).toBe(0);
    const early = outcome(target.run(takes(60, fails), { idempotent: true }));
    await clock.advance(600);
    await early;
    expect(counts().retries).toBeGreaterThan(0);
  });

  test('no repeat is begun whose wait the remainder cannot fit: the last answer comes at once', async () => {
    const { target, clock, counts } = setup({ deadlineMs: 500, retry: { maxRetries: 3 } });
    const answer = { status: 500, headers: { 'retry-after': '1' } };
    const call = outcome(target.run(() => answer, { idempotent: true }));
    await clock.advance(20);
    expect(await call).toEqual({ value: answer });
    expect(counts().retries).toBe(0);
  });

  test('a wait that ends after it, since ticks are coarse, begins no attempt', async () => {
    const { runtime, clock } = createTestHealing({
      defaults: { deadlineMs: 50, retry: { baseDelayMs: 100 } },
    });
    const target = runtime.target('upstream:a');
    target.random.next = () => 0.45;
    let attempts = 0;
    const call = outcome(
      target.run(
        () => {
          attempts++;
          throw new Error('no');
        },
        { idempotent: true },
      ),
    );
    await clock.advance(200);
    expect(await call).toMatchObject({ error: { message: 'no' } });
    expect(attempts).toBe(1);
    expect(target.status().counts.retries).toBe(0);
  });

  test('with no time left the function is not called; a fallback is', async () => {
    const { target, counts } = setup();
    let called = false;
    const fn = () => {
      called = true;
      return 'real';
    };
    await expect(target.run(fn, { deadlineMs: 0 })).rejects.toBeInstanceOf(DeadlineError);
    await expect(target.run(fn, { deadlineMs: -20 })).rejects.toBeInstanceOf(DeadlineError);
    expect(await target.run(fn, { deadlineMs: 0, fallback: () => 'cached' })).toBe('cached');
    expect(called).toBe(false);
    expect(counts()).toMatchObject({ success: 0, failure: 0 });
  });
});

describe('a blocked event loop', () => {
  test('an answer that had come meanwhile is taken before timeouts are judged', async () => {
    const { target, clock, counts } = setup({ timeoutMs: 200 });
    let answer: (value: string) => void = () => {};
    const call = outcome(
      target.run(
        () =>
          new Promise<string>((resolve) => {
            answer = resolve;
          }),
      ),
    );
    await clock.advance(40);
    clock.block(500);
    clock.afterPoll(() => answer('in time'));
    await clock.advance(20);
    expect(await call).toEqual({ value: 'in time' });
    expect(counts()).toMatchObject({ success: 1, failure: 0 });
  });

  test('a call without an answer still times out, one poll phase later', async () => {
    const { target, clock } = setup({ timeoutMs: 200, retry: { maxRetries: 0 } });
    const call = outcome(target.run(never));
    await clock.advance(40);
    clock.block(500);
    await clock.advance(20);
    expect(await call).toMatchObject({ error: { code: 'HEALIX_DEADLINE' } });
  });

  test('failures over it do not feed the breaker, failures after it do', async () => {
    const { target, clock, runtime } = setup({ timeoutMs: 200, retry: { maxRetries: 0 } });
    const calls = Array.from({ length: 20 }, () => outcome(target.run(never)));
    await clock.advance(40);
    clock.block(500);
    await clock.advance(40);
    await Promise.all(calls);
    expect(target.state).toBe('closed');
    expect(target.breaker.countsAt(clock.now()).failures).toBe(0);
    expect(runtime.status().stalls).toBe(1);

    const after = Array.from({ length: 20 }, () => outcome(target.run(never)));
    await clock.advance(300);
    await Promise.all(after);
    expect(target.state).toBe('open');
  });
});

test('a pending deadline or back-off keeps the process alive, nothing else does', async () => {
  const { target, clock } = setup({ timeoutMs: 300, retry: { maxRetries: 1, baseDelayMs: 1_000 } });
  await target.run(() => 1);
  target.acquire();
  await clock.advance(40);
  expect(clock.pending).toBeGreaterThan(0);
  expect(clock.keepsAlive).toBe(false);
  const call = outcome(target.run(never, { idempotent: true }));
  expect(clock.keepsAlive).toBe(true);
  await clock.advance(340);
  expect(target.monitor.inFlight).toBe(1);
  expect(clock.keepsAlive).toBe(true);
  await clock.advance(1_400);
  expect(await call).toMatchObject({ error: { code: 'HEALIX_DEADLINE' } });
  expect(clock.keepsAlive).toBe(false);
});
