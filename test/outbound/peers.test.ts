import { findHealixError, isHealixError } from '@healix/core';
import { describe, expect, it } from 'vitest';
import { MAJORS, NONE, until, useLab } from './lab.ts';

const MANY = 50;

/** What other libraries get wrong, or are asked for in vain, each named by its peer and thread. */
describe.each(MAJORS)('undici $major, $through', ({ undici, through }) => {
  const lab = useLab(through);
  const agent = (options: object = {}) => lab.keep(new undici.Agent(options));
  const target = () => lab.runtime.target(`upstream:${lab.server.origin}`);
  const once = { retry: { maxRetries: 0 } };

  it("undici's retry handler (4080): when repeats run out, the last real answer is given", async () => {
    const dispatcher = lab.healed(agent());
    const { statusCode, headers, body } = await undici.request(lab.url('500,500,503'), { dispatcher });
    expect({ statusCode, one: headers['x-one'], body: await body.text() }).toEqual({
      statusCode: 503,
      one: '1',
      body: 'busy',
    });
    expect(lab.count).toBe(3);
  });

  it('undici 2965: each attempt has its own limit, under a deadline for all of them', async () => {
    const settings = { timeoutMs: 200, deadlineMs: 1_000, retry: { maxRetries: 10, baseDelayMs: 1 } };
    const dispatcher = lab.healed(agent(), settings);
    const quick = await undici.request(lab.url('hang,ok'), { dispatcher });
    expect(await quick.body.text()).toBe('GET ');
    const started = performance.now();
    await expect(undici.request(lab.url('hang'), { dispatcher })).rejects.toSatisfy((error) =>
      isHealixError(error, 'HEALIX_DEADLINE'),
    );
    // Coarse time is late by a tick or two, and a busy machine by more.
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(lab.count).toBeGreaterThan(1);
    expect(lab.count).toBeLessThanOrEqual(5);
  });

  it('undici 4244: no attempt that the rest of the time cannot fit; the answer comes at once', async () => {
    const dispatcher = lab.healed(agent(), { deadlineMs: 3_000 });
    const started = performance.now();
    const { statusCode } = await undici.request(lab.url('503-after', 'after=5'), { dispatcher });
    expect(statusCode).toBe(503);
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(lab.count).toBe(1);
  });

  it('undici 4700: a breaker inside: while it is open nothing is sent, and it closes by itself', async () => {
    const circuit = { consecutiveFailures: 3, openMs: 200, maxOpenMs: 200, probes: 1, rampMs: 0 };
    const dispatcher = lab.healed(agent(), { ...once, circuit });
    while (target().state === 'closed') {
      await undici.request(lab.url('reset'), { dispatcher }).catch(() => {});
    }
    const sent = lab.server.seen.length;
    const error = await undici.request(lab.url('ok'), { dispatcher }).catch((thrown) => thrown);
    expect(isHealixError(error, 'HEALIX_CIRCUIT_OPEN')).toBe(true);
    expect(lab.server.seen.length).toBe(sent);
    await until(() => target().state === 'half-open');
    const { body } = await undici.request(lab.url('ok'), { dispatcher });
    await body.dump();
    expect(target().state).toBe('closed');
  });

  it('Retry-After sets the open time, past the longest wait of a repeat', async () => {
    const dispatcher = lab.healed(agent(), { circuit: { consecutiveFailures: 5, openMs: 100 } });
    for (let i = 0; i < MANY && target().state === 'closed'; i++) {
      const { body } = await undici.request(lab.url('429', 'after=30'), { dispatcher });
      await body.dump();
      expect(lab.count).toBe(1);
    }
    const error = await undici.request(lab.url('ok'), { dispatcher }).catch((thrown) => thrown);
    expect(findHealixError(error, 'HEALIX_CIRCUIT_OPEN')?.retryAfterMs).toBeGreaterThan(20_000);
    expect(lab.counts()).toMatchObject({ failure: 0, success: 0 });
  });

  it('Polly 2348, envoy 30205: a storm of failures is repeated within a budget, not by each caller', async () => {
    lab.restart({
      defaults: {
        retry: { maxRetries: 3, budget: 0.2, budgetPerSecond: 1, baseDelayMs: 20 },
        circuit: { consecutiveFailures: 1_000, minimumCalls: 10_000 },
      },
    });
    const dispatcher = lab.healed(agent());
    const url = lab.url('503');
    const answers = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const { statusCode, body } = await undici.request(url, { dispatcher });
        await body.dump();
        return statusCode;
      }),
    );
    expect(new Set(answers)).toEqual(new Set([503]));
    // A share of the hundred, and the floor of ten seconds.
    expect(lab.count).toBeGreaterThan(100);
    expect(lab.count).toBeLessThanOrEqual(100 + 0.2 * 100 + 10);
  });

  it("opossum 10: a caller's own aborts are no failures", async () => {
    const dispatcher = lab.healed(agent(), { ...once, circuit: { consecutiveFailures: 3 } });
    for (let i = 0; i < 10; i++) {
      const controller = new AbortController();
      const asked = undici.request(lab.url('hang'), { dispatcher, signal: controller.signal });
      await until(() => lab.count === 1);
      controller.abort();
      await expect(asked).rejects.toThrow();
    }
    await until(() => lab.inFlight() === 0);
    expect(lab.counts()).toEqual({ ...NONE, ignored: 10 });
    expect(target().state).toBe('closed');
  });

  it('opossum 10: one call that is cut short leaves those beside it alone', async () => {
    const dispatcher = lab.healed(agent());
    const [late, fine] = await Promise.allSettled([
      undici.request(lab.url('slow-headers', 'ms=2000'), {
        dispatcher,
        healing: { timeoutMs: 100, idempotent: false },
      }),
      undici.request(lab.url('slow-headers', 'ms=400'), { dispatcher }),
    ]);
    expect(late.status).toBe('rejected');
    expect(fine).toMatchObject({ status: 'fulfilled', value: { statusCode: 200 } });
  });

  it('opossum 10, cockatiel 4: others than a hung probe are refused at once, and it has its time', async () => {
    const circuit = { consecutiveFailures: 3, openMs: 100, probes: 1, probeTimeoutMs: 2_000, rampMs: 0 };
    const dispatcher = lab.healed(agent(), { ...once, circuit });
    while (target().state === 'closed') {
      await undici.request(lab.url('reset'), { dispatcher }).catch(() => {});
    }
    await until(() => target().state === 'half-open');
    const probe = undici.request(lab.url('hang'), { dispatcher }).catch((thrown) => thrown);
    await until(() => lab.count === 1);
    const url = lab.url('ok');
    const errors = await Promise.all(
      Array.from({ length: MANY }, () => undici.request(url, { dispatcher }).catch((thrown) => thrown)),
    );
    expect(errors.filter((error) => isHealixError(error, 'HEALIX_CIRCUIT_OPEN'))).toHaveLength(MANY);
    expect(lab.count).toBe(0);
    expect(isHealixError(await probe, 'HEALIX_DEADLINE')).toBe(true);
    await until(() => target().state === 'half-open');
    await (await undici.request(lab.url('ok'), { dispatcher })).body.dump();
    expect(target().state).toBe('closed');
  });

  it('gobreaker 2, resilience4ts: no lock around calls, no round trip before them', async () => {
    const dispatcher = lab.healed(agent());
    const url = lab.url('slow-headers', 'ms=500');
    const asked = Array.from({ length: MANY }, () => undici.request(url, { dispatcher }));
    expect(lab.inFlight()).toBe(MANY);
    await until(() => lab.count === MANY);
    for (const { body } of await Promise.all(asked)) await body.dump();
    expect(lab.counts()).toEqual({ ...NONE, success: MANY });
  });

  it('resilience4ts: a half-open circuit binds its limit, however many come at once', async () => {
    const circuit = { consecutiveFailures: 3, openMs: 100, probes: 3, rampMs: 0 };
    const dispatcher = lab.healed(agent(), { ...once, circuit });
    while (target().state === 'closed') {
      await undici.request(lab.url('reset'), { dispatcher }).catch(() => {});
    }
    await until(() => target().state === 'half-open');
    const url = lab.url('slow-headers', 'ms=100');
    const ends = await Promise.allSettled(
      Array.from({ length: MANY }, () => undici.request(url, { dispatcher })),
    );
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    expect(lab.count).toBe(3);
  });

  it('safe-client-gateway 3442: traffic to what is dead stays a trickle', async () => {
    const circuit = { consecutiveFailures: 3, openMs: 200, maxOpenMs: 200, probes: 3, rampMs: 0 };
    const dispatcher = lab.healed(agent(), { circuit });
    while (target().state === 'closed') {
      await undici.request(lab.url('500'), { dispatcher, idempotent: false }).then(({ body }) => body.dump());
    }
    const url = lab.url('500');
    const from = performance.now();
    let asked = 0;
    while (performance.now() - from < 1_000) {
      const some = Array.from({ length: 20 }, () => undici.request(url, { dispatcher }));
      for (const end of await Promise.allSettled(some)) {
        if (end.status === 'fulfilled') await end.value.body.dump();
      }
      asked += some.length;
    }
    const trials = Math.ceil((performance.now() - from) / (0.8 * 200)) + 1;
    expect(asked).toBeGreaterThan(lab.count);
    expect(lab.count).toBeLessThanOrEqual(3 * trials);
  });

  it('Polly: a refusal builds no stack', async () => {
    const dispatcher = lab.healed(agent());
    await target().force('open');
    const error = await undici.request(lab.url('ok'), { dispatcher }).catch((thrown) => thrown);
    expect(isHealixError(error, 'HEALIX_CIRCUIT_OPEN')).toBe(true);
    expect(error.stack).not.toContain('    at ');
  });
});
