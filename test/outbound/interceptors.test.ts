import { Agent, createServer, type IncomingMessage, request as nodeRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { ConfigError, isHealixError } from '@healix/core';
import { healingDispatcher, healingFetch, healingInterceptor } from '@healix/undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { undici8 } from './clients.ts';
import { FaultyServer } from './faulty-server.ts';
import { MAJORS, NONE, useLab } from './lab.ts';

describe.each(MAJORS)('undici $major, $through', ({ major, undici, through }) => {
  const lab = useLab(through);
  const agent = (options: object = {}) => lab.keep(new undici.Agent(options));
  const { retry, redirect, cache, dns, dump, decompress } = undici.interceptors;
  const quick = { minTimeout: 1, maxRetries: 2 };

  it('above retry: one permit a call', async () => {
    const dispatcher = lab.healed(agent().compose(retry(quick)), { retry: { maxRetries: 0 } });
    const { statusCode } = await undici.request(lab.url('503,503,ok'), { dispatcher });
    expect(statusCode).toBe(200);
    expect(lab.counts()).toEqual({ ...NONE, success: 1 });
  });

  it('above retry that keeps the start of an answer to itself: the call fails at once', async () => {
    const dispatcher = lab.healed(agent().compose(retry(quick)));
    const started = performance.now();
    const asked = undici.request(lab.url('hints'), { dispatcher });
    const ended = await asked.then(({ statusCode }) => statusCode, String);
    // That of undici 8 knows of early hints.
    expect(ended).toEqual(major === 8 ? 200 : expect.stringMatching('passed on the body'));
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it.each(['onResponseData', 'onResponseEnd'] as const)(
    'above an interceptor that begins with %s: the call fails at once',
    async (event) => {
      const swallow: undici8.Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) =>
        dispatch(options, {
          onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
          onResponseStart() {},
          onResponseData() {},
          onResponseEnd() {},
          [event]: (...told: [never, never]) => handler[event]?.(...told),
          onResponseError: (controller, error) => handler.onResponseError?.(controller, error),
        });
      const dispatcher = lab.healed(agent().compose(swallow), { timeoutMs: 2_000 });
      const started = performance.now();
      await expect(undici.request(lab.url('ok'), { dispatcher })).rejects.toThrow('but not its status');
      expect(performance.now() - started).toBeLessThan(1_000);
      expect(lab.counts()).toEqual({ ...NONE, ignored: 1 });
      expect(lab.inFlight()).toBe(0);
    },
  );

  it('beneath retry: one permit an attempt', async () => {
    const dispatcher = agent().compose(lab.interceptor({ retry: { maxRetries: 0 } }), retry(quick));
    const { statusCode, body } = await undici.request(lab.url('503,503,ok'), { dispatcher });
    expect({ statusCode, body: await body.text() }).toEqual({ statusCode: 200, body: 'GET ' });
    expect(lab.counts()).toEqual({ ...NONE, success: 1, failure: 2 });
  });

  it('beneath retry that has nothing left to do', async () => {
    const dispatcher = agent().compose(lab.interceptor(), retry(quick));
    const { body } = await undici.request(lab.url('reset,503,ok'), { dispatcher });
    expect(await body.text()).toBe('GET ');
    expect(lab.counts()).toEqual({ ...NONE, success: 1, failure: 2, retries: 2 });
  });

  it('above redirect: the chain is one call', async () => {
    const dispatcher = lab.healed(agent().compose(redirect({ maxRedirections: 5 })));
    const { body } = await undici.request(lab.url('redirect', 'hops=3'), { dispatcher });
    expect(await body.text()).toBe('GET ');
    expect(lab.counts()).toEqual({ ...NONE, success: 1 });
  });

  it('beneath redirect: each hop is a call', async () => {
    const dispatcher = agent().compose(lab.interceptor(), redirect({ maxRedirections: 5 }));
    const { body } = await undici.request(lab.url('redirect', 'hops=3&to=503,ok'), { dispatcher });
    expect(await body.text()).toBe('GET ');
    expect(lab.counts()).toEqual({ ...NONE, success: 4, failure: 1, retries: 1 });
  });

  it('beneath a cache: a hit costs nothing', async () => {
    const dispatcher = agent().compose(lab.interceptor(), cache());
    const url = lab.url('cached');
    for (let i = 0; i < 3; i++) {
      const { body } = await undici.request(url, { dispatcher });
      expect(await body.text()).toBe('kept');
    }
    expect(lab.counts()).toEqual({ ...NONE, success: 1 });
  });

  it('above a cache: a hit is a call', async () => {
    const dispatcher = lab.healed(agent().compose(cache()));
    const url = lab.url('cached');
    for (let i = 0; i < 3; i++) {
      const { body } = await undici.request(url, { dispatcher });
      expect(await body.text()).toBe('kept');
    }
    expect(lab.count).toBe(1);
    expect(lab.counts()).toEqual({ ...NONE, success: 3 });
  });

  it('dns, on either side: the name, not the address, is the target', async () => {
    const lookup = (
      _origin: unknown,
      _options: unknown,
      callback: (error: null, addresses: object[]) => void,
    ) => callback(null, [{ address: '127.0.0.1', family: 4, ttl: 60_000 }]);
    const resolving = dns({ lookup } as never);
    const name = lab.server.origin.replace('127.0.0.1', 'a.test');
    for (const dispatcher of [
      lab.healed(agent().compose(resolving)),
      agent().compose(lab.interceptor(), resolving),
    ]) {
      const url = lab.url('503,ok').replace(lab.server.origin, name);
      const { body } = await undici.request(url, { dispatcher });
      expect(await body.text()).toBe('GET ');
    }
    expect(lab.counts(name)).toEqual({ ...NONE, success: 2, failure: 2, retries: 2 });
    expect(Object.keys(lab.runtime.status().targets)).toEqual([`upstream:${name}`]);
  });

  it('dump, on either side', async () => {
    for (const dispatcher of [
      lab.healed(agent().compose(dump())),
      agent().compose(lab.interceptor(), dump()),
    ]) {
      const { statusCode, body } = await undici.request(lab.url('503,ok'), { dispatcher });
      expect({ statusCode, body: await body.text() }).toEqual({ statusCode: 200, body: '' });
    }
    expect(lab.counts()).toEqual({ ...NONE, success: 2, failure: 2, retries: 2 });
    expect(lab.inFlight()).toBe(0);
  });

  it('decompress, on either side', async () => {
    const server = createServer((_req, res) => {
      res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('plain'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    for (const dispatcher of [
      lab.healed(agent().compose(decompress())),
      agent().compose(lab.interceptor(), decompress()),
    ]) {
      const { body } = await undici.request(url, { dispatcher });
      expect(await body.text()).toBe('plain');
    }
    server.closeAllConnections();
    server.close();
  });

  it('twice: the inner one lets the request pass', async () => {
    const dispatcher = agent().compose(lab.interceptor(), dump(), lab.interceptor());
    await undici.request(lab.url('503'), { dispatcher });
    expect(lab.count).toBe(3);
    expect(lab.counts()).toEqual({ ...NONE, failure: 3, retries: 2 });
  });

  it('a healed fetch over a healed dispatcher', async () => {
    const dispatcher = lab.healed(agent());
    const healed = healingFetch(undici.fetch as typeof fetch, { runtime: lab.runtime });
    const response = await healed(lab.url('503'), { dispatcher } as never);
    expect(response.status).toBe(503);
    expect(lab.counts()).toEqual({ ...NONE, failure: 3, retries: 2 });
    await (undici.fetch as typeof fetch)(lab.url('ok'), { dispatcher } as never);
    expect(lab.counts()).toMatchObject({ success: 1 });
  });

  it('a healed fetch leaves what it asks of other origins to a healed dispatcher', async () => {
    const dispatcher = lab.healed(agent());
    const tokens = await new FaultyServer().listen();
    onTestFinished(() => tokens.close());
    const healed = healingFetch(
      async (url: string, init?: object) => {
        const asked = await undici.fetch(`${tokens.origin}/503,ok`, { dispatcher });
        const authorization = await asked.text();
        return undici.fetch(url, { ...init, headers: { authorization }, dispatcher });
      },
      { runtime: lab.runtime },
    );
    expect((await healed(lab.url('503,ok'))).status).toBe(200);
    expect(lab.counts(tokens.origin)).toEqual({ ...NONE, success: 2, failure: 1, retries: 1 });
    expect(lab.counts()).toEqual({ ...NONE, success: 1, failure: 1, retries: 1 });
  });

  it('a healed fetch through a dns interceptor is healed once', async () => {
    const lookup = (_origin: unknown, _options: unknown, callback: (error: null, found: object[]) => void) =>
      callback(null, [{ address: '127.0.0.1', family: 4, ttl: 60_000 }]);
    const dispatcher = agent().compose(lab.interceptor(), dns({ lookup } as never));
    const name = lab.server.origin.replace('127.0.0.1', 'a.test');
    const healed = healingFetch(undici.fetch as typeof fetch, { runtime: lab.runtime });
    const url = lab.url('503').replace(lab.server.origin, name);
    expect((await healed(url, { dispatcher } as never)).status).toBe(503);
    expect(lab.counts(name)).toEqual({ ...NONE, failure: 3, retries: 2 });
  });

  it('keeps a mock agent beneath', async () => {
    const mock = lab.keep(new undici.MockAgent());
    mock.disableNetConnect();
    const dispatcher = healingDispatcher(mock, { runtime: lab.runtime });
    dispatcher.get('http://a.test').intercept({ path: '/x' }).reply(503, 'busy');
    mock
      .get('http://a.test')
      .intercept({ path: '/x' })
      .reply(200, { fine: true }, { trailers: { a: 'b' } });
    const { statusCode, body } = await undici.request('http://a.test/x', { dispatcher });
    expect({ statusCode, body: await body.json() }).toEqual({ statusCode: 200, body: { fine: true } });
    await expect(undici.request('http://a.test/other', { dispatcher })).rejects.toThrow();
    expect(lab.counts('http://a.test')).toEqual({ ...NONE, success: 1, failure: 1, ignored: 1, retries: 1 });
    mock.get('http://a.test').intercept({ path: '/e' }).replyWithError(new Error('mocked')).times(3);
    await expect(undici.request('http://a.test/e', { dispatcher })).rejects.toThrow('mocked');
    mock.assertNoPendingInterceptors();
    mock.get('http://a.test').intercept({ path: '/f' }).reply(200, 'fetched');
    const response = await undici.fetch('http://a.test/f', { dispatcher });
    expect(await response.text()).toBe('fetched');
  });

  it('keeps a proxy agent beneath', async () => {
    const proxy = createServer((req, res) => {
      const asked = undici8.request(String(req.url), { method: req.method as never });
      asked.then(({ statusCode, body }) => {
        res.writeHead(statusCode, { 'x-proxied': '1' });
        body.pipe(res);
      });
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const uri = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const dispatcher = healingDispatcher(lab.keep(new undici.ProxyAgent({ uri, proxyTunnel: false })), {
      runtime: lab.runtime,
    });
    const { headers, body } = await undici.request(lab.url('503,ok'), { dispatcher });
    expect({ proxied: headers['x-proxied'], body: await body.text() }).toEqual({
      proxied: '1',
      body: 'GET ',
    });
    expect(lab.counts()).toEqual({ ...NONE, success: 1, failure: 1, retries: 1 });
    await dispatcher.close();
    proxy.closeAllConnections();
    proxy.close();
  });

  it('closes and destroys a retry agent beneath', async () => {
    for (const end of ['close', 'destroy'] as const) {
      const dispatcher = healingDispatcher(new undici.RetryAgent(agent()), { runtime: lab.runtime });
      const { body } = await undici.request(lab.url('ok'), { dispatcher });
      await body.text();
      await dispatcher[end]();
      await expect(undici.request(lab.url('ok'), { dispatcher })).rejects.toMatchObject({
        code: expect.stringMatching(/^UND_ERR_(CLOSED|DESTROYED)$/),
      });
    }
  });

  it('heals a client and a pool', async () => {
    for (const Kind of [undici.Client, undici.Pool]) {
      const dispatcher = lab.healed(lab.keep(new Kind(lab.server.origin)));
      const { pathname, search } = new URL(lab.url('503,ok'));
      const { body } = await dispatcher.request({ path: pathname + search, method: 'GET' } as never);
      expect(await body.text()).toBe('GET ');
    }
  });

  it('names targets by the key, by the request, and no more than maxNames', async () => {
    const key = ({ path }: { path: string }) => {
      if (path.startsWith('/404')) throw new Error('my own');
      return path.includes('pay') ? 'payments' : undefined;
    };
    const dispatcher = lab.healed(agent(), { key, maxNames: 3 });
    const ask = async (url: string, healing?: object) => {
      const { body } = await undici.request(url, { dispatcher, healing } as never);
      await body.dump();
    };
    await ask(lab.url('ok', 'pay=1'));
    await ask(lab.url('404'));
    await ask(lab.url('ok'), { key: 'upstream:mine' });
    for (let i = 0; i < 3; i++) await ask(lab.url('ok'), { key: `tenant-${i}` });
    const { targets, callbackErrors } = lab.runtime.status();
    expect(Object.keys(targets).sort()).toEqual(
      ['upstream:mine', 'upstream:other', 'upstream:payments', `upstream:${lab.server.origin}`].sort(),
    );
    expect(targets['upstream:other']?.counts.success).toBe(3);
    expect(callbackErrors).toHaveLength(1);
  });

  it('keeps no name that is too long, be it a key, a host header or an origin', async () => {
    const long = 'a'.repeat(100_000);
    const dispatcher = lab.healed(agent(), { retry: { maxRetries: 0 } });
    const ask = (url: string, more: object) => undici.request(url, { dispatcher, ...more } as never);
    await (await ask(lab.url('ok'), { healing: { key: long } })).body.dump();
    await (await ask(lab.url('ok'), { headers: { host: `${'a'.repeat(1_000)}.example` } })).body.dump();
    for (let i = 0; i < 3; i++) await expect(ask(`http://${i}${long}.invalid/`, {})).rejects.toThrow();
    const { targets } = lab.runtime.status();
    expect(Object.keys(targets)).toEqual(['upstream:other']);
    expect(targets['upstream:other']?.counts).toMatchObject({ success: 2, failure: 3 });
  });

  it('starts its targets from its own settings, with a classifier of the user', async () => {
    const classify = (answer: { status?: number } | undefined, error: unknown) =>
      error || answer?.status === 404 ? 'failure' : 'success';
    const dispatcher = lab.healed(agent(), { classify, retry: { maxRetries: 1 } });
    const { statusCode } = await undici.request(lab.url('404'), { dispatcher });
    expect(statusCode).toBe(404);
    expect(lab.counts()).toEqual({ ...NONE, failure: 2, retries: 1 });
  });
});

describe('options', () => {
  it.each([
    { key: 'payments' },
    { maxNames: 0 },
    { timeoutMs: -1 },
    { retires: {} },
    { runtime: {} },
    { circuit: { openMs: 5_000, maxOpenMs: 10 } },
  ])('are checked: %o', (options) => {
    for (const make of [
      () => healingInterceptor(options as never),
      () => healingFetch(undefined, options as never),
      () => healingDispatcher(new undici8.Agent(), options as never),
    ]) {
      expect(make).toThrow(ConfigError);
    }
  });

  it('want a dispatcher', () => {
    for (const wrong of [undefined, null, {}, { dispatch() {} }, 'agent']) {
      expect(() => healingDispatcher(wrong as never)).toThrow(ConfigError);
    }
  });

  it('of a wrong kind beside a request fail the request', async () => {
    const dispatcher = new undici8.Agent().compose(healingInterceptor());
    for (const healing of [true, 'fast', 7, null]) {
      const asked = undici8.request('http://a.test', { dispatcher, healing } as never);
      await expect(asked).rejects.toSatisfy((error) => isHealixError(error, 'HEALIX_CONFIG'));
    }
  });
});

describe('healingFetch', () => {
  const lab = useLab();

  it('lets pass what is no HTTP', async () => {
    const healed = healingFetch(fetch, { runtime: lab.runtime });
    expect(await (await healed('data:text/plain,hello')).text()).toBe('hello');
    await expect(healed('/relative')).rejects.toThrow(TypeError);
    expect(lab.runtime.status().targets).toEqual({});
  });

  it('takes a Request, and any fetch', async () => {
    const healed = healingFetch(fetch, { runtime: lab.runtime });
    const request = new Request(lab.url('503,ok'), { headers: { a: 'b' } });
    expect(await (await healed(request)).text()).toBe('GET ');
    const posted = new Request(lab.url('503,ok'), { method: 'PUT', body: 'x' });
    expect((await healed(posted)).status).toBe(503);
    const odd = healingFetch(async (url: string, init: { method: string }) => ({ url, ok: init.method }), {
      runtime: lab.runtime,
    });
    expect(await odd('http://odd.test/', { method: 'GET' })).toEqual({ url: 'http://odd.test/', ok: 'GET' });
  });

  it("takes null for a Request's own signal and body, as fetch does", async () => {
    const healed = healingFetch(fetch, { runtime: lab.runtime });
    const aborted = new Request(lab.url('ok'), { signal: AbortSignal.abort() });
    await expect(healed(aborted)).rejects.toThrow();
    expect(await (await healed(aborted, { signal: null })).text()).toBe('GET ');
    const posted = new Request(lab.url('503,ok'), { method: 'PUT', body: 'x' });
    expect((await healed(posted, { body: null })).status).toBe(503);
  });

  it("frees the connection of an answer that is a stream of Node's", async () => {
    const one = new Agent({ keepAlive: true, maxSockets: 1 });
    const healed = healingFetch(overNode(one), { runtime: lab.runtime, timeoutMs: 2_000 });
    for (const size of [100, 3_000_000]) {
      const { status, body } = await healed(lab.url('500,ok', `size=${size}`));
      expect({ status, text: await text(body) }).toEqual({ status: 200, text: 'GET ' });
    }
    one.destroy();
  });

  it('does not let a repeat wait for an answer that stalls', async () => {
    const dispatcher = lab.keep(new undici8.Agent({ connections: 1 }));
    const one = new Agent({ keepAlive: true, maxSockets: 1 });
    for (const sent of [
      (url: string, init: object) => undici8.fetch(url, { ...init, dispatcher }),
      overNode(one),
    ]) {
      const healed = healingFetch(sent, { runtime: lab.runtime, timeoutMs: 1_000 });
      const { status } = await healed(lab.url('503-stalls,503-stalls,ok'), {});
      expect(status).toBe(200);
    }
    expect(lab.counts()).toEqual({ ...NONE, success: 2, failure: 4, retries: 4 });
    one.destroy();
  });

  it.each([undefined, null, 'text', {}])('repeats whatever the body of an answer is: %s', async (body) => {
    const statuses = [503, 200];
    const healed = healingFetch(async (_url: string) => ({ status: statuses.shift(), body }), {
      runtime: lab.runtime,
    });
    expect(await healed('http://odd.test/')).toEqual({ status: 200, body });
  });

  it("keeps the caller's own signal for the body", async () => {
    const aborted = async (call: typeof fetch): Promise<unknown> => {
      const controller = new AbortController();
      const response = await call(lab.url('hang-body'), { signal: controller.signal });
      controller.abort(new Error('enough'));
      return response.text().catch((error: unknown) => error);
    };
    const healed = await aborted(healingFetch(fetch, { runtime: lab.runtime }));
    expect(healed).toBeInstanceOf(Error);
    // On Node.js 22 fetch itself does not tell the reason.
    expect(healed).toEqual(await aborted(fetch));
  });
});

/** A fetch over Node's own client. */
function overNode(agent: Agent) {
  return (url: string, { signal }: { signal?: AbortSignal } = {}) =>
    new Promise<{ status: number | undefined; body: IncomingMessage }>((resolve, reject) => {
      const answered = (body: IncomingMessage) => resolve({ status: body.statusCode, body });
      nodeRequest(url, { agent, signal }, answered).on('error', reject).end();
    });
}
