import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHealing, findHealixError, type Healing, isHealixError } from '@healix/core';
import { SteadyClock } from '@healix/core/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CLIENTS, type Client } from './clients.ts';
import { FaultyServer, refusedOrigin } from './faulty-server.ts';

let server: FaultyServer;
let refused: string;
let serial = 0;

beforeAll(async () => {
  server = await new FaultyServer().listen();
  refused = await refusedOrigin();
});
afterAll(() => server.close());

/** An address of its own, so that each test counts its own requests. */
function path(steps: string, query = ''): string {
  serial++;
  return `/${steps}?case=${serial}&${query}`;
}

describe.each(CLIENTS)('$name', (kind) => {
  let runtime: Healing;
  let client: Client;

  beforeEach(() => {
    runtime = createHealing({
      shared: false,
      clock: new SteadyClock(),
      defaults: { retry: { baseDelayMs: 5, budgetPerSecond: 1_000 }, circuit: { consecutiveFailures: 50 } },
    });
    client = kind.make(runtime);
  });
  afterEach(async () => {
    await client.close();
    await runtime.close();
  });

  const target = () => runtime.target(`upstream:${server.origin}`);
  const counts = () => {
    const { success, failure, overload, ignored, retries } = countsOf(runtime, server.origin);
    return { success, failure, overload, ignored, retries };
  };
  const attempts = kind.repeats ? 3 : 1;
  const none = { success: 0, failure: 0, overload: 0, ignored: 0, retries: 0 };
  const ask = (steps: string, options = {}, query = '') =>
    client.ask(server.origin + path(steps, query), options);

  it('passes a good answer on', async () => {
    const answer = await ask('ok');
    expect(answer).toMatchObject({ status: 200, body: 'GET ' });
    expect(answer.headers).toMatchObject({ 'x-one': '1', 'set-cookie': ['a=1', 'b=2'] });
    expect(counts()).toEqual({ ...none, success: 1 });
    expect(target().status().inFlight).toBe(0);
  });

  it('sends a body', async () => {
    expect(await ask('ok', { method: 'POST', body: 'hello' })).toMatchObject({
      status: 200,
      body: 'POST hello',
    });
  });

  it('sends a stream', async () => {
    const body = Readable.from([Buffer.from('a'), Buffer.from('b')]);
    expect(await ask('ok', { method: 'POST', body })).toMatchObject({ status: 200, body: 'POST ab' });
  });

  it.each(['404', 'empty'])('counts %s as a success', async (step) => {
    await ask(step);
    expect(counts()).toEqual({ ...none, success: 1 });
  });

  it.runIf(kind.repeats)('repeats a GET until it succeeds', async () => {
    expect(await ask('503,reset,ok')).toMatchObject({ status: 200 });
    expect(counts()).toEqual({ ...none, success: 1, failure: 2, retries: 2 });
  });

  it('repeats what reached nobody', async () => {
    const error = await client.ask(`${refused}/x`).catch((e) => e);
    expect(findCode(error)).toBe('ECONNREFUSED');
    expect(countsOf(runtime, refused)).toMatchObject({ failure: attempts, retries: attempts - 1 });
  });

  it.each(['reset', 'close', 'malformed'])('fails with the last real error: %s', async (step) => {
    await expect(ask(step)).rejects.toThrow();
    expect(counts()).toEqual({ ...none, failure: attempts, retries: attempts - 1 });
  });

  it.each(['500', '503', '503-close'])(
    'answers with the last real answer when repeats run out: %s',
    async (step) => {
      const answer = await ask(step);
      expect(answer).toMatchObject({
        status: Number.parseInt(step, 10),
        body: step === '500' ? 'xxxxxx' : 'busy',
      });
      expect(counts()).toEqual({ ...none, failure: attempts, retries: attempts - 1 });
      expect(target().status().inFlight).toBe(0);
    },
  );

  it.runIf(kind.repeats)('never plays an earlier 503 over a later reset', async () => {
    await expect(ask('503,503,reset')).rejects.toThrow();
  });

  it.runIf(kind.repeats)('waits for a Retry-After, and counts it as overload', async () => {
    const started = performance.now();
    expect(await ask('503-after,ok', {}, 'after=1')).toMatchObject({ status: 200 });
    expect(performance.now() - started).toBeGreaterThan(950);
    expect(counts()).toEqual({ ...none, success: 1, overload: 1, retries: 1 });
  });

  it('returns a 429 whose Retry-After is too long', async () => {
    expect(await ask('429,ok', {}, 'after=30')).toMatchObject({ status: 429, body: 'slow down' });
    expect(counts()).toEqual({ ...none, overload: 1 });
  });

  it('does not repeat a POST', async () => {
    expect(await ask('503,ok', { method: 'POST', body: 'x' })).toMatchObject({ status: 503, body: 'busy' });
    expect(counts()).toEqual({ ...none, failure: 1 });
  });

  it('does not repeat a stream, whatever its method', async () => {
    const body = Readable.from([Buffer.from('a')]);
    expect(await ask('503,ok', { method: 'PUT', body })).toMatchObject({ status: 503 });
  });

  it.runIf(kind.replays)('repeats a body of text, with an Idempotency-Key even in a POST', async () => {
    const headers = { 'Idempotency-Key': 'k' };
    expect(await ask('503,ok', { method: 'PUT', body: 'put' })).toMatchObject({
      status: 200,
      body: 'PUT put',
    });
    const answer = await ask('503,ok', { method: 'POST', body: 'post', headers });
    expect(answer).toMatchObject({ status: 200, body: 'POST post' });
  });

  it('cuts a hang off at timeoutMs, to headers', async () => {
    target().update({ timeoutMs: 150, retry: { maxRetries: 0 } });
    const started = performance.now();
    const error = await ask('hang').catch((e) => e);
    expect(isHealixError(error, 'HEALIX_DEADLINE')).toBe(true);
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(counts()).toEqual({ ...none, failure: 1 });
  });

  it.runIf(kind.repeats)('repeats what timed out', async () => {
    target().update({ timeoutMs: 150 });
    expect(await ask('hang,ok')).toMatchObject({ status: 200 });
  });

  it('does not cut off a slow body', async () => {
    target().update({ timeoutMs: 100 });
    expect(await ask('slow-body', {}, 'ms=300')).toMatchObject({ status: 200, body: 'slow body' });
  });

  it('keeps the whole call within deadlineMs', async () => {
    target().update({ timeoutMs: 100, deadlineMs: 300, retry: { maxRetries: 10 } });
    const started = performance.now();
    const error = await ask('hang').catch((e) => e);
    expect(isHealixError(error, 'HEALIX_DEADLINE')).toBe(true);
    expect(performance.now() - started).toBeLessThan(900);
  });

  it.each(['reset-body', 'truncated'])(
    'fails in the middle of a body, without a repeat: %s',
    async (step) => {
      await expect(ask(step)).rejects.toThrow();
      const { failure, retries } = counts();
      expect({ failure, retries }).toEqual({ failure: kind.body ? 1 : 0, retries: 0 });
    },
  );

  it('refuses while the circuit is open', async () => {
    await target().force('open');
    const error = await ask('ok').catch((e) => e);
    expect(findHealixError(error)?.code).toBe('HEALIX_CIRCUIT_OPEN');
    expect(server.count(`case=${serial}&`)).toBe(0);
  });

  it('opens the circuit of what fails, and of nothing else', async () => {
    target().update({ circuit: { consecutiveFailures: 5 }, retry: { maxRetries: 0 } });
    for (let i = 0; i < 50 && target().state === 'closed'; i++) await ask('reset').catch(() => {});
    expect(target().state).toBe('open');
    await expect(ask('ok')).rejects.toSatisfy((e) => isHealixError(e, 'HEALIX_CIRCUIT_OPEN'));
    await client.ask(`${server.origin.replace('127.0.0.1', 'localhost')}/ok`);
  });

  it('ignores the caller that aborts', async () => {
    const controller = new AbortController();
    const asked = ask('hang', { signal: controller.signal });
    await sleep(100);
    controller.abort();
    await expect(asked).rejects.toThrow();
    expect(counts()).toEqual({ ...none, ignored: 1 });
    expect(target().status().inFlight).toBe(0);
  });

  it.runIf(kind.repeats)('ends the wait between attempts when the caller aborts', async () => {
    const controller = new AbortController();
    const asked = ask('503-after', { signal: controller.signal }, 'after=3');
    await sleep(150);
    controller.abort(new Error('enough'));
    const started = performance.now();
    await expect(asked).rejects.toThrow();
    expect(performance.now() - started).toBeLessThan(200);
    await sleep(50);
    expect(server.count(`case=${serial}&`)).toBe(1);
  });

  it.runIf(kind.options)('takes options beside the request', async () => {
    const healing = { timeoutMs: 100, idempotent: false, key: 'payments' };
    const error = await ask('hang', { healing }).catch((e) => e);
    expect(isHealixError(error, 'HEALIX_DEADLINE')).toBe(true);
    expect(runtime.target('upstream:payments').status().counts).toMatchObject({ failure: 1, retries: 0 });
    await expect(ask('503,ok', { healing: false })).resolves.toMatchObject({ status: 503 });
    await expect(ask('ok', { healing: { timeoutMS: 1 } })).rejects.toSatisfy((e) =>
      isHealixError(e, 'HEALIX_CONFIG'),
    );
  });

  it('takes options from runtime.with', async () => {
    const error = await runtime
      .with({ timeoutMs: 100, idempotent: false }, () => ask('hang'))
      .catch((e) => e);
    expect(isHealixError(error, 'HEALIX_DEADLINE')).toBe(true);
    expect(counts()).toEqual({ ...none, failure: 1 });
  });

  it.runIf(kind.options)('honours idempotent of undici', async () => {
    const no = await ask('503,ok', { idempotent: false });
    expect(no.status).toBe(503);
  });

  it('follows the limits of the policy', async () => {
    target().update({ policy: { concurrency: 1, denyMethods: ['DELETE'] } });
    const first = ask('slow-headers', {}, 'ms=200');
    await sleep(50);
    await expect(ask('ok')).rejects.toSatisfy((e) => isHealixError(e, 'HEALIX_OVERLOAD'));
    await expect(ask('ok', { method: 'DELETE' })).rejects.toSatisfy((e) => isHealixError(e, 'HEALIX_POLICY'));
    await first;
    await expect(ask('ok')).resolves.toMatchObject({ status: 200 });
  });
});

function countsOf(runtime: Healing, origin: string) {
  return runtime.target(`upstream:${origin}`).status().counts;
}

function findCode(error: unknown): unknown {
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return code ?? (cause === undefined ? undefined : findCode(cause));
}
