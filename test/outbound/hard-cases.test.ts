import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { isHealixError } from '@healix/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { undici7, undici8 } from './clients.ts';
import { FaultyServer, refusedOrigin } from './faulty-server.ts';
import { MAJORS, NONE, until, useLab } from './lab.ts';

const isDeadline = (error: unknown) => isHealixError(error, 'HEALIX_DEADLINE');

describe.each(MAJORS)('undici $major, $through', ({ major, undici, through }) => {
  const lab = useLab(through);
  const agent = (options: object = {}) => lab.keep(new undici.Agent(options));

  it('a refused connection, which never starts', async () => {
    const origin = await refusedOrigin();
    const dispatcher = lab.healed(agent());
    await expect(undici.request(`${origin}/x`, { dispatcher })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
    expect(lab.counts(origin)).toEqual({ ...NONE, failure: 3, retries: 2 });
    expect(lab.inFlight(origin)).toBe(0);
  });

  it('a caller that aborts while its request is queued', async () => {
    const dispatcher = lab.healed(agent({ connections: 1, pipelining: 1 }));
    const first = undici.request(lab.url('slow-headers', 'ms=1500'), { dispatcher });
    first.catch(() => {});
    const controller = new AbortController();
    const { signal } = controller;
    const queued = undici.request(lab.url('ok'), { dispatcher, signal, healing: { timeoutMs: 400 } });
    await sleep(50);
    const started = performance.now();
    controller.abort(new Error('enough'));
    await expect(queued).rejects.toThrow('enough');
    expect(performance.now() - started).toBeLessThan(major === 8 ? 100 : 800);
    expect(lab.counts()).toMatchObject({ ignored: 1, failure: 0 });
    expect(lab.inFlight()).toBe(1);
    await sleep(100);
    expect(lab.count).toBe(0);
  });

  it('a deadline while a request is queued: its late events are dropped, the connection lives on', async () => {
    const dispatcher = lab.healed(agent({ connections: 1, pipelining: 1 }));
    const healing = { timeoutMs: 100, idempotent: false };
    const first = undici.request(lab.url('slow-headers', 'ms=600'), { dispatcher });
    const queued = undici.request(lab.url('ok'), { dispatcher, healing });
    await expect(queued).rejects.toSatisfy(isDeadline);
    const { body } = await first;
    await body.dump();
    await sleep(50);
    expect(lab.count).toBe(0);
    const again = await undici.request(lab.url('ok'), { dispatcher });
    expect(await again.body.text()).toBe('GET ');
    expect(lab.counts()).toEqual({ ...NONE, success: 2, failure: 1 });
  });

  it('a deadline while connecting', async () => {
    const dispatcher = lab.healed(agent({ connect: () => {} }), { deadlineMs: 200 });
    const started = performance.now();
    await expect(undici.request(lab.url('ok'), { dispatcher })).rejects.toSatisfy(isDeadline);
    expect(performance.now() - started).toBeLessThan(700);
    expect(lab.counts()).toEqual({ ...NONE, failure: 1 });
  });

  it('an end, and then an error', async () => {
    const dispatcher = lab.healed(agent().compose(undici.interceptors.responseError()));
    await expect(undici.request(lab.url('404'), { dispatcher })).rejects.toMatchObject({ statusCode: 404 });
    expect(lab.counts()).toEqual({ ...NONE, success: 1 });
    await expect(undici.request(lab.url('503'), { dispatcher })).rejects.toMatchObject({ statusCode: 503 });
    expect(lab.counts()).toEqual({ ...NONE, success: 1, failure: 3, retries: 2 });
  });

  it('103 before a 503 that is repeated', async () => {
    const infos: number[] = [];
    const onInfo = ({ statusCode }: { statusCode: number }) => infos.push(statusCode);
    const dispatcher = lab.healed(agent());
    const answer = await undici.request(lab.url('hints-503,hints'), { dispatcher, onInfo });
    expect({ status: answer.statusCode, body: await answer.body.text() }).toEqual({
      status: 200,
      body: 'hinted',
    });
    expect(infos).toEqual([103, 103]);
    expect(lab.counts()).toEqual({ ...NONE, success: 1, failure: 1, retries: 1 });
  });

  it('a body that nobody reads', async () => {
    const dispatcher = lab.healed(agent());
    const { body } = await undici.request(lab.url('big', 'size=3000000'), { dispatcher, bodyTimeout: 150 });
    expect(lab.inFlight()).toBe(1);
    await until(() => lab.inFlight() === 0);
    expect(lab.counts()).toEqual({ ...NONE, success: 1 });
    expect((await body.arrayBuffer()).byteLength).toBe(3_000_000);
    expect(lab.counts()).toEqual({ ...NONE, success: 1 });
  });

  it('a body that is read slowly keeps its place', async () => {
    const dispatcher = lab.healed(agent());
    const { body } = await undici.request(lab.url('slow-body', 'ms=1000'), {
      dispatcher,
      bodyTimeout: 3_000,
    });
    await sleep(150);
    expect(lab.inFlight()).toBe(1);
    await body.text();
    expect(lab.inFlight()).toBe(0);
  });

  it('an upgrade ends the call', async () => {
    const dispatcher = lab.healed(agent());
    const { socket } = await undici.upgrade(lab.url('up'), { dispatcher, protocol: 'echo' } as never);
    expect(lab.counts()).toEqual({ ...NONE, success: 1 });
    expect(lab.inFlight()).toBe(0);
    socket.write('hello');
    const [chunk] = await new Promise<Buffer[]>((resolve) => socket.once('data', (data) => resolve([data])));
    expect(String(chunk)).toBe('hello');
    socket.destroy();
    await expect(
      undici.upgrade(lab.url('up').replace('/up', '/refuse'), { dispatcher } as never),
    ).rejects.toThrow();
    expect(lab.inFlight()).toBe(0);
  });

  it('CONNECT', async () => {
    const dispatcher = lab.healed(agent());
    const { socket, statusCode } = await undici.connect(lab.url('x'), { dispatcher } as never);
    expect(statusCode).toBe(200);
    socket.destroy();
    expect(lab.counts()).toEqual({ ...NONE, success: 1 });
  });

  it('trailers, of the answer that counts', async () => {
    const dispatcher = lab.healed(agent());
    const good = await undici.request(lab.url('503-trailers,trailers'), { dispatcher });
    expect({ body: await good.body.text(), trailers: good.trailers }).toEqual({
      body: 'body',
      trailers: { 'x-sum': '42' },
    });
    const bad = await undici.request(lab.url('503-trailers'), { dispatcher });
    expect({ body: await bad.body.text(), trailers: bad.trailers }).toEqual({
      body: 'busy',
      trailers: { 'x-sum': '7' },
    });
  });

  it('back-pressure, kept across attempts', async () => {
    const dispatcher = lab.healed(agent());
    const { body } = await undici.request(lab.url('503,reset,big', 'size=4000000'), {
      dispatcher,
      highWaterMark: 1_024,
    });
    await sleep(100);
    expect((body as unknown as { readableLength: number }).readableLength).toBeLessThan(300_000);
    let size = 0;
    for await (const chunk of body) {
      size += chunk.length;
      if (size % 5 === 0) await sleep(1);
    }
    expect(size).toBe(4_000_000);
  });

  it('a handler that pauses at the start, and hears of one start only', async () => {
    const dispatcher = lab.healed(agent());
    const told: string[] = [];
    const { origin, pathname, search } = new URL(lab.url('503,ok'));
    await new Promise<void>((resolve, reject) => {
      dispatcher.dispatch(
        { origin, path: pathname + search, method: 'GET' },
        {
          onRequestStart(controller) {
            told.push('start');
            controller.pause();
            setTimeout(() => controller.resume(), 200);
          },
          onResponseStart: (_controller, status) => void told.push(String(status)),
          onResponseData: (_controller, chunk) => void told.push(String(chunk)),
          onResponseEnd() {
            told.push('end');
            resolve();
          },
          onResponseError: (_controller, error) => reject(error),
        },
      );
    });
    expect(told).toEqual(['start', '200', 'GET ', 'end']);
  });

  it('a pause that outlasts an attempt holds the next one back from its start', async () => {
    const dispatcher = lab.healed(agent());
    const { origin, pathname, search } = new URL(lab.url('reset,big', 'size=300000'));
    let held: { resume(): void } | undefined;
    let size = 0;
    const ended = new Promise<void>((resolve, reject) => {
      dispatcher.dispatch(
        { origin, path: pathname + search, method: 'GET' },
        {
          onRequestStart(controller) {
            held = controller;
            controller.pause();
          },
          onResponseStart() {},
          onResponseData(_controller, chunk) {
            size += chunk.length;
          },
          onResponseEnd: () => resolve(),
          onResponseError: (_controller, error) => reject(error),
        },
      );
    });
    await until(() => lab.count === 2);
    await sleep(100);
    expect(size).toBe(0);
    held?.resume();
    await ended;
    expect(size).toBe(300_000);
  });

  it('raw headers, of the answer that counts', async () => {
    const dispatcher = lab.healed(agent());
    const { headers } = await undici.request(lab.url('503-after,ok'), { dispatcher, responseHeaders: 'raw' });
    expect(headers).toContain('x-one');
    expect(headers).not.toContain('retry-after');
  });

  it('a body that can be sent only once', async () => {
    const dispatcher = lab.healed(agent());
    const body = Readable.from([Buffer.from('once')]);
    const answer = await undici.request(lab.url('503,ok'), { method: 'PUT', body, dispatcher });
    expect(answer.statusCode).toBe(503);
    expect(lab.count).toBe(1);
  });

  it("a stream of the caller's that breaks says nothing of the other side", async () => {
    const dispatcher = lab.healed(agent());
    const body = new Readable({ read() {} });
    body.push('some');
    setTimeout(() => body.destroy(new Error('my own')), 50);
    await expect(undici.request(lab.url('ok'), { method: 'PUT', body, dispatcher })).rejects.toThrow(
      'my own',
    );
    expect(lab.counts()).toEqual({ ...NONE, ignored: 1 });
  });

  it('a long answer that is thrown away costs its connection, a short one does not', async () => {
    const dispatcher = lab.healed(agent());
    // A server of its own: connections of the tests before end when they like.
    const server = await new FaultyServer().listen();
    onTestFinished(() => server.close());
    const ask = async (steps: string, size: number) =>
      (await undici.request(`${server.origin}/${steps}?size=${size}`, { dispatcher })).body.text();

    expect(await ask('500,ok', 60_000)).toBe('GET ');
    await sleep(50);
    expect(server.closed).toBe(0);
    expect(await ask('500,ok', 5_000_000)).toBe('GET ');
    await until(() => server.closed === 1);
    expect(await ask('500', 5_000_000)).toHaveLength(5_000_000);
  });

  it('an answer that is thrown away may end a little late, and if it grows long then costs its connection as well', async () => {
    const dispatcher = lab.healed(agent());
    const server = await new FaultyServer().listen();
    onTestFinished(() => server.close());
    const ask = async (size: number) =>
      (await undici.request(`${server.origin}/500-late,ok?size=${size}`, { dispatcher })).body.text();

    expect(await ask(60_000)).toBe('GET ');
    await sleep(200);
    expect(server.closed).toBe(0);
    expect(await ask(5_000_000)).toBe('GET ');
    await until(() => server.closed === 1);
  });

  it('on one connection a repeat does not wait for an answer that stalls', async () => {
    const { origin } = lab.server;
    for (const single of [agent({ connections: 1 }), lab.keep(new undici.Client(origin))]) {
      const dispatcher = lab.healed(single);
      const ask = (steps: string) =>
        undici.request(lab.url(steps), { dispatcher, healing: { timeoutMs: 400 } });
      const { body } = await ask('503-stalls,503-stalls,ok');
      expect(await body.text()).toBe('GET ');
      const started = performance.now();
      const last = await ask('503-stalls');
      expect(last.statusCode).toBe(503);
      expect(performance.now() - started).toBeLessThan(1_000);
      expect(lab.count).toBe(3);
      last.body.destroy();
      last.body.on('error', () => {});
    }
    await until(() => lab.inFlight() === 0);
    expect(lab.counts()).toEqual({ ...NONE, success: 2, failure: 10, retries: 8 });
  });

  it('an answer that was held back is passed on when the circuit opens meanwhile', async () => {
    const dispatcher = lab.healed(agent());
    const target = lab.runtime.target(`upstream:${lab.server.origin}`);
    for (const steps of ['503-after', '503-trailers', '500']) {
      const query = `after=1&size=3000000`;
      target.update({ retry: { baseDelayMs: 2_000 } });
      const asked = undici.request(lab.url(steps, query), { dispatcher });
      await until(() => lab.count === 1);
      await sleep(50);
      await target.force('open');
      const { statusCode, body } = await asked;
      const text = await body.text();
      expect({ statusCode, length: text.length }).toEqual({
        statusCode: Number.parseInt(steps, 10),
        length: steps === '500' ? 3_000_000 : 4,
      });
      await target.force(null);
    }
  });

  it('a caller that pauses an answer that was held back gets no more of it', async () => {
    const dispatcher = lab.healed(agent(), { retry: { baseDelayMs: 2_000 } });
    const target = lab.runtime.target(`upstream:${lab.server.origin}`);
    const { origin, pathname, search } = new URL(lab.url('500', 'size=3000000'));
    let held: { resume(): void } | undefined;
    let size = 0;
    const ended = new Promise<void>((resolve, reject) => {
      dispatcher.dispatch(
        { origin, path: pathname + search, method: 'GET' },
        {
          onRequestStart() {},
          onResponseStart(controller) {
            held = controller;
            controller.pause();
          },
          onResponseData(_controller, chunk) {
            size += chunk.length;
          },
          onResponseEnd: () => resolve(),
          onResponseError: (_controller, error) => reject(error),
        },
      );
    });
    await until(() => lab.count === 1);
    await sleep(50);
    await target.force('open');
    await until(() => held !== undefined, 5_000);
    await sleep(100);
    expect(size).toBeLessThan(500_000);
    held?.resume();
    await ended;
    expect(size).toBe(3_000_000);
    await target.force(null);
  });

  it('a caller that gives up an answer that was held back hears so', async () => {
    const dispatcher = lab.healed(agent(), { retry: { baseDelayMs: 2_000 } });
    const target = lab.runtime.target(`upstream:${lab.server.origin}`);
    for (const steps of ['503', '500']) {
      const told: string[] = [];
      const { origin, pathname, search } = new URL(lab.url(steps, 'size=3000000'));
      dispatcher.dispatch(
        { origin, path: pathname + search, method: 'GET' },
        {
          onRequestStart: () => void told.push('start'),
          onResponseStart(controller, status) {
            told.push(String(status));
            controller.abort(new Error('enough'));
          },
          onResponseData: () => void told.push('data'),
          onResponseEnd: () => void told.push('end'),
          onResponseError: (_controller, error) => void told.push(error.message),
        },
      );
      await until(() => lab.count === 1);
      await sleep(50);
      await target.force('open');
      await until(() => told.includes('enough'), 5_000);
      expect(told).toEqual(['start', steps, 'enough']);
      await target.force(null);
    }
    expect(lab.inFlight()).toBe(0);
  });

  it('an aborted body says what its headers said', async () => {
    const dispatcher = lab.healed(agent());
    const { body } = await undici.request(lab.url('hang-body'), { dispatcher });
    body.on('error', () => {}).destroy();
    await until(() => lab.inFlight() === 0);
    expect(lab.counts()).toEqual({ ...NONE, success: 1 });
    const timed = await undici.request(lab.url('hang-body'), {
      dispatcher,
      signal: AbortSignal.timeout(1_000),
    });
    await expect(timed.body.text()).rejects.toThrow();
    expect(lab.counts()).toEqual({ ...NONE, success: 1, failure: 1 });
  });

  it('a body whose reader did not want it in time says what its headers said', async () => {
    const dispatcher = lab.healed(agent());
    const signal = AbortSignal.timeout(300);
    const { body } = await undici.request(lab.url('big', 'size=5000000'), { dispatcher, signal });
    body.on('error', () => {});
    await until(() => lab.inFlight() === 0);
    expect(lab.counts()).toEqual({ ...NONE, success: 1 });
  });

  it('a deadline in the middle of a body', async () => {
    const dispatcher = lab.healed(agent(), { deadlineMs: 200 });
    const { body } = await undici.request(lab.url('hang-body'), { dispatcher });
    await expect(body.text()).rejects.toSatisfy(isDeadline);
    expect(lab.counts()).toEqual({ ...NONE, failure: 1 });
  });

  it('a deadline while the reader does not want more of the body', async () => {
    const dispatcher = lab.healed(agent(), { deadlineMs: 200 });
    const { body } = await undici.request(lab.url('big', 'size=5000000'), { dispatcher });
    const failed = new Promise((resolve) => body.once('error', resolve));
    expect(await failed).toSatisfy(isDeadline);
    expect(lab.counts()).toEqual({ ...NONE, success: 1 });
  });

  it('a probe is not repeated, and closes the circuit at its headers', async () => {
    const dispatcher = lab.healed(agent(), {
      circuit: { consecutiveFailures: 1, openMs: 100, probes: 1, rampMs: 0 },
    });
    const target = lab.runtime.target(`upstream:${lab.server.origin}`);
    const failing = () => undici.request(lab.url('reset'), { dispatcher, idempotent: false }).catch(() => {});
    while (target.state === 'closed') await failing();
    await until(() => target.state === 'half-open');
    await expect(undici.request(lab.url('503'), { dispatcher })).resolves.toMatchObject({ statusCode: 503 });
    expect(lab.count).toBe(1);
    await until(() => target.state === 'half-open');
    const { body } = await undici.request(lab.url('slow-body', 'ms=300'), { dispatcher });
    expect(target.state).toBe('closed');
    await body.text();
  });

  it('a handler of the caller that throws says nothing of the other side', async () => {
    const dispatcher = lab.healed(agent());
    const asked = undici.stream(lab.url('ok'), { dispatcher, method: 'GET' }, () => {
      throw new Error('my own');
    });
    await expect(asked).rejects.toThrow('my own');
    expect(lab.counts()).toEqual({ ...NONE, success: 1 });
    expect(lab.inFlight()).toBe(0);
  });

  it('a dispatcher that is closed', async () => {
    const closed = new undici.Agent();
    await closed.close();
    await expect(undici.request(lab.url('ok'), { dispatcher: lab.healed(closed) })).rejects.toThrow();
    expect(lab.counts()).toEqual({ ...NONE, ignored: 1 });
  });

  it("an attempt runs in its caller's async context", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const note = () => void seen.push(storage.getStore());
    subscribe('undici:request:create', note);
    const dispatcher = lab.healed(agent());
    await storage.run('mine', async () => {
      await (await undici.request(lab.url('503,ok'), { dispatcher })).body.dump();
      await (await undici.fetch(lab.url('503,ok'), { dispatcher })).text();
    });
    unsubscribe('undici:request:create', note);
    expect(seen).toEqual(['mine', 'mine', 'mine', 'mine']);
  });

  it('in observe mode nothing is refused, repeated or cut short', async () => {
    lab.restart({ mode: 'observe', defaults: { timeoutMs: 50, circuit: { consecutiveFailures: 1 } } });
    const dispatcher = lab.healed(agent());
    expect(await undici.request(lab.url('503,ok'), { dispatcher })).toMatchObject({ statusCode: 503 });
    const target = lab.runtime.target(`upstream:${lab.server.origin}`);
    expect(target.status().wouldHave).toMatchObject({ repeated: 1 });
    expect(await undici.request(lab.url('slow-headers', 'ms=200'), { dispatcher })).toMatchObject({
      statusCode: 200,
    });
    expect(target.status()).toMatchObject({
      wouldHave: { repeated: 1, timedOut: 0 },
      counts: { success: 1, failure: 1 },
    });
  });

  it.each(['heal', 'observe'] as const)(
    'in %s mode a safe request that hangs is repeated at the end of its time, and one that is refused is not',
    async (mode) => {
      lab.restart({ mode, defaults: { retry: { maxRetries: 1 } } });
      const dispatcher = lab.healed(agent());
      const ask = (url: string, healing: object) =>
        undici.request(url, { dispatcher, healing }).then(
          ({ body }) => body.dump(),
          () => {},
        );
      const target = lab.runtime.target(`upstream:${lab.server.origin}`);
      const repeated = () => {
        const { counts, wouldHave } = target.status();
        return counts.retries + (wouldHave?.repeated ?? 0);
      };
      const late = ask(lab.url('slow-headers', 'ms=300'), { timeoutMs: 50 });
      await until(() => repeated() === 1);
      await late;
      await target.force('open');
      await ask(lab.url('503,ok'), {});
      expect(repeated()).toBe(1);
    },
  );

  it('in observe mode a request that hangs has failed when its time is over, and is not counted again', async () => {
    lab.restart({ mode: 'observe', defaults: { circuit: { consecutiveFailures: 4 } } });
    const dispatcher = lab.healed(agent());
    const url = lab.url('slow-headers', 'ms=1000');
    const answers = [{ timeoutMs: 50 }, { deadlineMs: 50 }].map((healing) =>
      undici.request(url, { dispatcher, healing }),
    );
    const body = await undici.request(lab.url('slow-body', 'ms=1000'), {
      dispatcher,
      healing: { deadlineMs: 50 },
    });
    const target = lab.runtime.target(`upstream:${lab.server.origin}`);
    await until(() => target.status().wouldHave?.timedOut === 3);
    expect(target.status()).toMatchObject({ inFlight: 3, counts: { failure: 3 } });
    for (const answer of [await Promise.all(answers), body].flat()) await answer.body.dump();
    await until(() => lab.inFlight() === 0);
    expect(target.status()).toMatchObject({ wouldHave: { timedOut: 3 }, counts: { success: 0, failure: 3 } });
  });

  it('with the emergency switch everything passes through', async () => {
    lab.restart({ disabled: true });
    const dispatcher = lab.healed(agent());
    expect(await undici.request(lab.url('503,ok'), { dispatcher })).toMatchObject({ statusCode: 503 });
    expect(lab.runtime.status().targets).toEqual({});
  });
});

describe.each(['interceptor', 'dispatcher'] as const)('versions that meet, %s', (through) => {
  const lab = useLab(through);

  it('an undici 7 caller on an 8 dispatcher gets an error', async () => {
    const dispatcher = lab.healed(lab.keep(new undici8.Agent()));
    await expect(undici7.request(lab.url('ok'), { dispatcher })).rejects.toThrow();
    await expect(undici7.fetch(lab.url('ok'), { dispatcher } as never)).rejects.toThrow();
  });

  it('an undici 8 caller on a 7 dispatcher', async () => {
    const dispatcher = lab.healed(lab.keep(new undici7.Agent()));
    const { body } = await undici8.request(lab.url('503,ok'), { dispatcher });
    expect(await body.text()).toBe('GET ');
  });

  it('the built-in fetch with an explicit dispatcher: 7 as it is, 8 through its wrapper', async () => {
    const seven = lab.healed(lab.keep(new undici7.Agent()));
    const eight = lab.healed(lab.keep(new undici8.Agent()));
    const wrapped = new undici8.Dispatcher1Wrapper(eight);
    for (const dispatcher of [seven, wrapped]) {
      const response = await fetch(lab.url('503,ok'), { dispatcher } as never);
      expect(await response.text()).toBe('GET ');
    }
    await expect(fetch(lab.url('ok'), { dispatcher: eight } as never)).rejects.toThrow('fetch failed');
  });
});

describe('HTTP/2', () => {
  const lab = useLab();

  it('is healed like HTTP/1', async () => {
    let turn = 0;
    const server = createServer((_req, res) => {
      turn++;
      if (turn === 1) res.writeHead(503).end('busy');
      else if (turn === 2) res.stream.close(2);
      else res.writeHead(200, { 'x-one': '1' }).end('fine');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const dispatcher = lab.healed(lab.keep(new undici8.H2CClient(origin)));
    const { statusCode, headers, body } = await dispatcher.request({ origin, path: '/', method: 'GET' });
    expect({ statusCode, one: headers['x-one'], body: await body.text() }).toEqual({
      statusCode: 200,
      one: '1',
      body: 'fine',
    });
    expect(lab.counts(origin)).toEqual({ ...NONE, success: 1, failure: 2, retries: 2 });
    server.close();
  });
});
