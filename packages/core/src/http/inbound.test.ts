import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import http2 from 'node:http2';
import net, { type AddressInfo } from 'node:net';
import { PassThrough, pipeline, Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { TargetOptions } from '../config/schema.ts';
import type { Healing } from '../healing.ts';
import { createHealing } from '../shared-runtime.ts';
import { SteadyClock } from '../time/steady-clock.ts';
import { sendAnswer } from './answers.ts';
import { Inbound, type InboundOptions } from './inbound.ts';
import type { RawRequest, RawResponse } from './raw.ts';
import { exchangeOf } from './watch.ts';

const NAME = 'route:GET /a';

let runtime: Healing;
let server: http.Server | http2.Http2Server;
let port: number;

beforeEach(() => {
  runtime = createHealing({ shared: false, clock: new SteadyClock() });
});

afterEach(async () => {
  (server as http.Server).closeAllConnections?.();
  server.close();
  await runtime.close();
});

interface Given extends InboundOptions {
  h2?: boolean;
  route?: TargetOptions;
}

/** The smallest adapter. */
async function serve(
  handler: (req: IncomingMessage, res: ServerResponse) => unknown,
  { h2, route, ...options }: Given = {},
): Promise<void> {
  const inbound = new Inbound<RawResponse>(runtime, { refuse: sendAnswer, answerLate: sendAnswer }, options);
  const listener = (req: RawRequest, res: RawResponse) => {
    if (inbound.admit(req, res, inbound.routes.get(NAME, route), res)) {
      handler(req as IncomingMessage, res as ServerResponse);
    }
  };
  server = h2 ? http2.createServer(listener) : http.createServer(listener as RequestListener);
  await new Promise<void>((resolve) => server.listen(0, resolve));
  port = (server.address() as AddressInfo).port;
}

const status = () => runtime.target(NAME).status();
const settled = (counts: object) =>
  expect
    .poll(() => ({ inFlight: status().inFlight, ...status().counts }))
    .toMatchObject({ inFlight: 0, ...counts });
const soon = (ms = 20) => new Promise((resolve) => setTimeout(resolve, ms));
const get = (options?: RequestInit) => fetch(`http://127.0.0.1:${port}/`, options);

/** Sends `text` and leaves after `ms`. */
async function visit(text: string, ms: number, leave: 'destroy' | 'end' | 'resetAndDestroy' = 'destroy') {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  socket.write(text);
  await soon(ms);
  socket[leave]();
}

const GET = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi';

describe('what a request came to', () => {
  test.each([
    [200, { success: 1, failure: 0 }],
    [404, { success: 1, failure: 0 }],
    [500, { success: 0, failure: 1 }],
  ])('status %i', async (code, counts) => {
    await serve((_, res) => {
      res.statusCode = code;
      res.end('x');
    });
    await (await get()).text();
    await settled(counts);
  });

  test.each(['destroy', 'end', 'resetAndDestroy'] as const)(
    'a client that leaves by %s is ignored',
    async (leave) => {
      for (const request of [GET, POST]) {
        await serve((req) => req.resume());
        await visit(request, 30, leave);
        await expect.poll(() => status().inFlight).toBe(0);
        server.close();
      }
      await settled({ ignored: 2, failure: 0 });
    },
  );

  test('a client that leaves in the middle of the answer is ignored, though the handler then destroys', async () => {
    await serve((req, res) => {
      res.write('begun');
      req.on('close', () => res.destroy(new Error('told of it')));
    });
    await visit(GET, 30);
    await settled({ ignored: 1, failure: 0 });
  });

  test.each([
    ['res.destroy()', (res: ServerResponse) => res.destroy()],
    ['res.destroy(error)', (res: ServerResponse) => res.destroy(new Error('source'))],
    [
      'a pipeline whose source breaks off',
      (res: ServerResponse) => {
        const source = new PassThrough();
        source.write('x');
        pipeline(source, res, () => {});
        setTimeout(
          () => source.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })),
          10,
        );
      },
    ],
  ])('the server’s own end of a stream is a failure: %s', async (_, breakOff) => {
    await serve((_req, res) => {
      res.write('begun');
      setTimeout(breakOff, 10, res);
    });
    await expect(get().then((answer) => answer.text())).rejects.toThrow();
    await settled({ failure: 1, ignored: 0 });
  });

  describe('the server’s own timeout', () => {
    const silent = async (callback?: (socket: net.Socket) => void, handler = (_: unknown) => {}) => {
      await serve((_, res) => handler(res));
      (server as http.Server).setTimeout(40, callback);
    };

    test('is a failure of all that waits for an answer', async () => {
      await silent();
      await visit(GET + GET, 200);
      await settled({ failure: 2, ignored: 0 });
    });

    test('is a failure where the user breaks the connection off', async () => {
      await silent((socket) => socket.destroy());
      await visit(GET, 200);
      await settled({ failure: 1, ignored: 0 });
    });

    test('is nothing where the user lets the connection be', async () => {
      const told = vi.fn();
      await silent(told);
      await visit(GET, 200);
      await settled({ failure: 0, ignored: 1 });
      expect(told).toHaveBeenCalled();
    });

    test('is the user’s to answer', async () => {
      await serve((_, res) => res.setTimeout(40, () => res.writeHead(404).end()));
      expect((await get()).status).toBe(404);
      await settled({ success: 1, failure: 0 });
    });

    test('says nothing of an answer that has begun', async () => {
      await silent(undefined, (res) => (res as ServerResponse).write('begun'));
      await visit(GET, 200);
      await settled({ failure: 0, ignored: 1 });
    });
  });

  test('pipelined requests whose client leaves, their bodies read, are all given back', async () => {
    await serve((req) => req.resume());
    await visit(POST + POST + POST, 30);
    await settled({ ignored: 3 });
  });

  test('a pipelined answer that waits for its turn counts when it was sent', async () => {
    const held: ServerResponse[] = [];
    await serve((_, res) => held.push(res));
    const socket = net.connect(port, '127.0.0.1');
    let answers = '';
    socket.setEncoding('utf8').on('data', (text) => {
      answers += text;
    });
    socket.write(GET + GET);
    await expect.poll(() => held.length).toBe(2);
    held[1]?.end('second');
    await soon();
    expect(status().inFlight).toBe(2);
    held[0]?.end('first');
    await expect.poll(() => answers).toMatch(/first.*second/s);
    socket.destroy();
    await settled({ success: 2, ignored: 0 });
  });

  test('a classifier of the route’s own has the last word; one that throws has none', async () => {
    const classify = ({ status }: { status: number }) => {
      if (status === 500) throw new Error('bad classifier');
      return status === 418 ? 'failure' : 'success';
    };
    const codes = [418, 500, 503];
    await serve((_, res) => res.writeHead(codes.shift() as number).end(), { route: { classify } });
    for (let i = 0; i < 3; i++) await get();
    await settled({ failure: 2, success: 1 });
    expect(runtime.status().callbackErrors).toHaveLength(1);
  });
});

describe('HTTP/2', () => {
  const ask = (act: (stream: http2.ClientHttp2Stream) => void) => {
    const client = http2.connect(`http://127.0.0.1:${port}`);
    const stream = client.request({ ':path': '/' });
    stream.on('error', () => {});
    stream.on('close', () => client.close());
    act(stream);
    stream.resume();
  };

  test('counts what it came to', async () => {
    const codes = [200, 500];
    await serve(
      (_, res) => {
        res.statusCode = codes.shift() as number;
        setTimeout(() => res.end('x'), 30);
      },
      { h2: true },
    );
    ask(() => {});
    ask(() => {});
    await settled({ success: 1, failure: 1 });
    expect(status().p50).toBeGreaterThan(20);
  });

  test('a reset before the head is ignored', async () => {
    await serve(() => {}, { h2: true });
    ask((stream) => setTimeout(() => stream.close(http2.constants.NGHTTP2_CANCEL), 20));
    await settled({ ignored: 1, failure: 0 });
  });

  test('the server’s own end of a stream is a failure', async () => {
    await serve(
      (_, res) => {
        res.write('begun');
        setTimeout(() => pipeline(Readable.from([Promise.reject(new Error('source'))]), res, () => {}), 10);
      },
      { h2: true },
    );
    ask(() => {});
    await settled({ failure: 1, ignored: 0 });
  });

  test('an event stream leaves with its head', async () => {
    await serve(
      (_, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write('data: 1\n\n');
      },
      { h2: true },
    );
    ask((stream) => setTimeout(() => stream.close(), 100));
    await settled({ success: 1 });
  });
});

test.each([
  ['set', (res: ServerResponse) => void res.setHeader('Content-Type', 'text/event-stream')],
  ['given', (res: ServerResponse) => void res.writeHead(200, { 'Content-Type': 'text/event-stream' })],
  ['listed', (res: ServerResponse) => void res.writeHead(200, 'OK', ['CONTENT-TYPE', 'text/event-stream'])],
])('an event stream leaves with its head: content type %s', async (_, begin) => {
  await serve((_req, res) => {
    begin(res);
    res.write('data: 1\n\n');
  });
  const answer = await get();
  await settled({ success: 1 });
  await answer.body?.cancel();
});

test('latency is the time to the head', async () => {
  await serve((_, res) => {
    setTimeout(() => res.write('head'), 40);
    setTimeout(() => res.end(), 200);
  });
  await (await get()).text();
  await settled({ success: 1 });
  expect(status().p50).toBeGreaterThan(30);
  expect(status().p50).toBeLessThan(120);
});

test('a second mount passes through, and is counted', async () => {
  const second = new Inbound<RawResponse>(runtime, { refuse: sendAnswer, answerLate: sendAnswer });
  await serve((req, res) => {
    expect(second.admit(req, res, second.routes.unmatched, res)).toBe(true);
    res.end();
  });
  await get();
  await settled({ success: 1 });
  expect(runtime.status().coverage.doubleMounts).toBe(1);
});

test('a preflight is nobody’s call', async () => {
  await serve((_, res) => res.end(), { defaults: { policy: { deny: 'closed' } } });
  const preflight = await get({ method: 'OPTIONS', headers: { 'access-control-request-method': 'GET' } });
  expect(preflight.status).toBe(200);
  expect((await get()).status).toBe(403);
});

test('what is refused is answered by the user, or, when that throws, as usual', async () => {
  let fails = false;
  await serve(() => {}, {
    route: { policy: { deny: 'closed', denyStatus: 503 } },
    onRefused: (_, res, { reason }) => {
      if (fails) throw new Error('oops');
      res.statusCode = 418;
      res.end(reason);
    },
  });
  const answer = await get();
  expect([answer.status, await answer.text()]).toEqual([418, 'policy']);
  fails = true;
  const usual = await get({ method: 'POST', body: 'x' });
  expect([usual.status, usual.headers.get('retry-after')]).toEqual([503, '1']);
  expect(usual.headers.get('connection')).toBe('close');
  expect(runtime.status().callbackErrors).toHaveLength(1);
  const head = await get({ method: 'HEAD' });
  expect(await head.text()).toBe('');
});

test('past the deadline the client has its answer, the handler its signal, the route a failure', async () => {
  const reasons: unknown[] = [];
  await serve(
    (req) => {
      const { signal } = exchangeOf(req) as { signal: AbortSignal };
      signal.addEventListener('abort', () => reasons.push(signal.reason));
    },
    { route: { deadlineMs: 30 } },
  );
  const answer = await get();
  expect(answer.status).toBe(504);
  expect(await answer.json()).toMatchObject({ type: 'urn:healix:deadline', target: NAME });
  expect(reasons).toMatchObject([{ code: 'HEALIX_DEADLINE', target: NAME }]);
  await settled({ failure: 1, success: 0 });
});

describe('past the deadline in observe mode', () => {
  const deadlineMs = 30;
  const ends: (() => void)[] = [];
  const signals: AbortSignal[] = [];

  beforeEach(async () => {
    ends.length = 0;
    signals.length = 0;
    await runtime.close();
    runtime = createHealing({ shared: false, clock: new SteadyClock(), mode: 'observe' });
  });

  const hang = async (req: IncomingMessage, res: ServerResponse) => {
    signals.push((exchangeOf(req) as { signal: AbortSignal }).signal);
    req.resume();
    ends.push(() => res.end('at last'));
  };

  test('a request is a failure, goes on, and is not counted again', async () => {
    await serve(hang, { route: { deadlineMs } });
    const answer = get();
    await expect.poll(() => status().wouldHave).toMatchObject({ timedOut: 1 });
    expect(status()).toMatchObject({ inFlight: 1, counts: { failure: 1 } });
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    ends[0]?.();
    expect(await (await answer).text()).toBe('at last');
    await settled({ success: 0, failure: 1, ignored: 0 });
    expect(status().wouldHave).toMatchObject({ timedOut: 1, failure: 0 });
  });

  test('requests that hang open the circuit', async () => {
    await serve(hang, { route: { deadlineMs } });
    const answers = Array.from({ length: 5 }, () => get());
    await expect.poll(() => status().state).toBe('open');
    for (const end of ends) end();
    await Promise.all(answers);
  });

  test('one that its client does not send says nothing', async () => {
    await serve(hang, { route: { deadlineMs } });
    const leaving = visit('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nhi', 200);
    await expect.poll(() => status().wouldHave).toMatchObject({ timedOut: 1 });
    await leaving;
    await settled({ failure: 0, ignored: 1 });
  });

  test('it is booked where it belongs', async () => {
    const hooks = { refuse: sendAnswer, answerLate: sendAnswer };
    const inbound: Inbound<RawResponse> = new Inbound(runtime, {
      ...hooks,
      taken: () => inbound.routes.get(NAME),
    });
    server = http.createServer((req, res) => {
      inbound.admit(req, res, inbound.routes.get('route:GET /predicted', { deadlineMs }), res);
      hang(req, res);
    });
    await new Promise<void>((resolve) => (server as http.Server).listen(0, resolve));
    port = (server.address() as AddressInfo).port;
    const answer = get();
    await expect.poll(() => status().counts.failure).toBe(1);
    ends[0]?.();
    await answer;
    const predicted = () => runtime.target('route:GET /predicted').status();
    await expect.poll(() => predicted().inFlight).toBe(0);
    expect(predicted()).toMatchObject({ counts: { success: 0, failure: 0 }, wouldHave: undefined });
    await settled({ success: 0, failure: 1 });
    expect(runtime.status().coverage.namesCorrected).toBe(1);
  });
});

test('a probe that proves to be of another route is told of once', async () => {
  const inbound: Inbound<RawResponse> = new Inbound(runtime, {
    refuse: sendAnswer,
    answerLate: sendAnswer,
    taken: () => inbound.routes.get(NAME),
  });
  const predicted = runtime.target('route:GET /predicted');
  await predicted.force('open');
  await predicted.force(null);
  server = http.createServer((req, res) => {
    inbound.admit(req, res, inbound.routes.get('route:GET /predicted'), res);
    res.end();
  });
  await new Promise<void>((resolve) => (server as http.Server).listen(0, resolve));
  port = (server.address() as AddressInfo).port;
  await get();
  await settled({ success: 1 });
  expect(predicted.state).toBe('half-open');
  expect(runtime.status().coverage.namesCorrected).toBe(1);
});

test('an adapter that throws for one late request does so for no other, nor for the process', async () => {
  const inbound = new Inbound<RawResponse>(runtime, {
    refuse: sendAnswer,
    answerLate(res, answer) {
      sendAnswer(res, answer);
      throw new Error('oops');
    },
  });
  server = http.createServer((req, res) => {
    inbound.admit(req, res, inbound.routes.get(NAME, { deadlineMs: 30 }), res);
  });
  await new Promise<void>((resolve) => (server as http.Server).listen(0, resolve));
  port = (server.address() as AddressInfo).port;
  const answers = await Promise.all([get(), get(), get()]);
  expect(answers.map(({ status: code }) => code)).toEqual([504, 504, 504]);
  expect(runtime.status().callbackErrors).toMatchObject([
    { target: 'runtime', callback: 'deadline', count: 3, lastError: 'Error: oops' },
  ]);
});

test('past the deadline an answer that has begun goes on', async () => {
  await serve(
    (req, res) => {
      res.write('slow ');
      setTimeout(() => res.end(String(exchangeOf(req)?.signal.aborted)), 100);
    },
    { route: { deadlineMs: 30 } },
  );
  expect(await (await get()).text()).toBe('slow true');
  await settled({ success: 1, failure: 0 });
});

describe('a probe whose answer does not come in its time', () => {
  const HALF = 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nhi';
  const PROBE_MS = 150;
  const circuit = { consecutiveFailures: 3, openMs: 20, maxOpenMs: 20, probes: 1, rampMs: 0 };

  /** A half-open circuit whose one probe has sent `text`, and no more; tells of transitions from there on. */
  async function probe(text: string) {
    const told: string[] = [];
    await serve(
      async (req, res) => {
        if (req.headers['x-fail']) res.statusCode = 500;
        if (req.method === 'POST') for await (const _ of req);
        if (req.method === 'POST' && told.length === 0) await new Promise(() => {});
        res.end();
      },
      { route: { circuit: { ...circuit, probeTimeoutMs: PROBE_MS } } },
    );
    for (let i = 0; i < 3; i++) await get({ headers: { 'x-fail': '1' } });
    await expect.poll(() => status().state).toBe('half-open');
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(text);
    await expect.poll(() => status().inFlight).toBe(1);
    runtime.on('transition', ({ to, reason }) => told.push(`${to} ${reason}`));
    return { socket, told };
  }

  test('because its client is still sending has no verdict, and gives its place to another', async () => {
    const { socket, told } = await probe(HALF);
    const { breaker } = runtime.target(NAME);
    await expect.poll(async () => (await get()).status).toBe(200);
    expect(told).toEqual(['closed probes-succeeded']);
    expect(breaker.probeLimitMs).toBe(PROBE_MS);
    socket.write('ho');
    await settled({ failure: 3, ignored: 0 });
    expect(told).toHaveLength(1);
    socket.destroy();
  });

  test('for the server’s own fault has failed', async () => {
    const { socket, told } = await probe(POST);
    await expect.poll(() => get().then(() => told.length)).toBeGreaterThan(0);
    expect(told[0]).toBe('open probes-failed');
    socket.destroy();
  });
});
