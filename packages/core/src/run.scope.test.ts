import { describe, expect, test } from 'vitest';
import { withScope } from './ambient.ts';
import { isHealixError } from './errors.ts';
import { RequestScope } from './request-scope.ts';
import { createTestHealing } from './testing.ts';

const never = () => new Promise<never>(() => {});

function setup(options = {}) {
  const { runtime, clock } = createTestHealing({ defaults: { timeoutMs: 10_000 }, ...options });
  const target = runtime.target('upstream:a');
  const scope = (leftMs: number) => new RequestScope(runtime.time, clock.now() + leftMs);
  const counts = () => {
    const { success, failure, ignored } = target.status().counts;
    return { success, failure, ignored };
  };
  /** Has calls of the target take some 40 ms. */
  const settle = async () => {
    for (let i = 0; i < 20; i++) {
      const call = target.run(() => new Promise<void>((done) => void clock.setTimer(done, 40)));
      await clock.advance(40);
      await call;
    }
  };
  return { runtime, clock, target, scope, counts, settle };
}

describe('a call on behalf of a request', () => {
  test('ends with the request, less what had passed by then', async () => {
    const { clock, target, scope } = setup();
    const begun = clock.now();
    let endedAt = 0;
    const request = withScope(scope(300), async () => {
      await new Promise<void>((done) => void clock.setTimer(done, 200));
      const error = await target.run(never).catch((error) => error);
      endedAt = clock.now();
      return error;
    });
    await clock.advance(1_000);
    expect(isHealixError(await request, 'HEALIX_DEADLINE')).toBe(true);
    expect(endedAt - begun).toBeGreaterThanOrEqual(300);
    expect(endedAt - begun).toBeLessThanOrEqual(340);
  });

  test('never has longer than its own deadline', async () => {
    const { clock, target, scope } = setup();
    target.update({ deadlineMs: 100 });
    const begun = clock.now();
    const call = withScope(scope(5_000), () => target.run(never)).catch(() => clock.now());
    await clock.advance(1_000);
    expect((await call) - begun).toBeLessThanOrEqual(140);
  });

  test('does not begin once that time is over, and nobody is blamed', async () => {
    const { target, scope, counts } = setup();
    let began = false;
    const call = withScope(scope(0), () => target.run(() => (began = true)));
    await expect(call).rejects.toSatisfy((error) => isHealixError(error, 'HEALIX_DEADLINE'));
    expect(began).toBe(false);
    expect(counts()).toEqual({ success: 0, failure: 0, ignored: 0 });
  });

  test('is not repeated past it', async () => {
    const { clock, target, scope, settle } = setup();
    await settle();
    target.update({ timeoutMs: 100, retry: { maxRetries: 5, baseDelayMs: 0, budgetPerSecond: 100 } });
    let attempts = 0;
    const fn = () => {
      attempts++;
      return never();
    };
    const call = withScope(scope(320), () => target.run(fn, { idempotent: true })).catch(() => {});
    await clock.advance(2_000);
    await call;
    expect(attempts).toBe(3);
  });

  test('says nothing of the upstream that had less time than half of its calls take', async () => {
    const { clock, target, scope, counts, settle } = setup();
    await settle();
    const call = withScope(scope(5), () => target.run(never)).catch(() => {});
    await clock.advance(100);
    await call;
    expect(counts()).toEqual({ success: 20, failure: 0, ignored: 1 });
  });

  test('is the failure of one that had more, so that a hang is seen', async () => {
    const { clock, target, scope, counts, settle } = setup();
    await settle();
    const call = withScope(scope(500), () => target.run(never)).catch(() => {});
    await clock.advance(1_000);
    await call;
    expect(counts()).toEqual({ success: 20, failure: 1, ignored: 0 });
  });

  test('is cut short by no one in observe mode', async () => {
    const { clock, target, scope, counts } = setup({ mode: 'observe' });
    const fn = () => new Promise<string>((done) => void clock.setTimer(() => done('late'), 500));
    const call = withScope(scope(100), () => target.run(fn));
    await clock.advance(1_000);
    expect(await call).toBe('late');
    expect(target.status().wouldHave).toMatchObject({ timedOut: 1 });
    expect(counts()).toMatchObject({ failure: 1 });
  });

  test('keeps the options that were set around the request, and gains those within', async () => {
    const { runtime, clock, target, scope } = setup();
    const begun = clock.now();
    const call = withScope(scope(5_000), () => runtime.with({ deadlineMs: 100 }, () => target.run(never)));
    const ended = call.catch(() => clock.now());
    await clock.advance(1_000);
    expect((await ended) - begun).toBeLessThanOrEqual(140);
  });
});
