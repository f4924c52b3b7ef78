import { createReadStream } from 'node:fs';
import { connect } from 'node:http2';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { createHealing, type Healing } from '@healix/core';
import { SteadyClock } from '@healix/core/testing';
import Fastify, { type FastifyInstance, type RouteHandlerMethod } from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { healing } from './index.ts';

let app: FastifyInstance;
let runtime: Healing;
const uncaught: unknown[] = [];
const noteUncaught = (error: unknown) => uncaught.push(error);

beforeEach(() => {
  uncaught.length = 0;
  process.on('uncaughtException', noteUncaught);
  runtime = createHealing({ shared: false, clock: new SteadyClock() });
});

afterEach(async () => {
  await app.close();
  await runtime.close();
  process.off('uncaughtException', noteUncaught);
  expect(uncaught).toEqual([]);
});

type Hooks = (app: FastifyInstance) => void;

async function ask(handler: RouteHandlerMethod, hooks: Hooks = slowly) {
  app = Fastify();
  hooks(app);
  await app.register(healing, { runtime });
  app.get('/x', { config: { healing: { deadlineMs: 100 } } }, handler);
  app.get('/next', async () => 'next');
  const base = await app.listen({ port: 0 });
  const answer = await fetch(`${base}/x`);
  const body = await answer.text();
  await sleep(250);
  await fetch(`${base}/next`);
  return { answer, body };
}

function slowly(app: FastifyInstance): void {
  app.addHook('onSend', async () => {
    await sleep(100);
  });
}

function slowlyByCallback(app: FastifyInstance): void {
  app.addHook('onSend', (_request, _reply, _payload, next) => {
    setTimeout(next, 100);
  });
}

function expectOurs({ answer, body }: { answer: Response; body: string }): void {
  expect(answer.status).toBe(504);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.headers.get('content-length')).toBe(String(body.length));
  expect(JSON.parse(body)).toMatchObject({ status: 504, reason: 'deadline' });
}

const handlers: Record<string, RouteHandlerMethod> = {
  'sends before it': async () => {
    await sleep(50);
    return { secret: 1 };
  },
  'sends after it': async () => {
    await sleep(150);
    return { secret: 1 };
  },
  'throws before it': async () => {
    await sleep(50);
    throw new Error('secret');
  },
  'throws after it': async () => {
    await sleep(150);
    throw new Error('secret');
  },
  'sends by callback before it': (_, reply) => {
    setTimeout(() => reply.code(201).header('etag', 'x').send({ secret: 1 }), 50);
  },
  'sends by callback after it': (_, reply) => {
    setTimeout(() => reply.code(201).header('etag', 'x').send({ secret: 1 }), 150);
  },
  'begins a stream before it': async (_, reply) => {
    await sleep(50);
    return reply.send(Readable.from(['secret']));
  },
};

for (const [does, handler] of Object.entries(handlers)) {
  test(`the deadline passes amid slow hooks, and the handler ${does}`, async () => {
    expectOurs(await ask(handler));
  });

  test(`the deadline passes amid slow hooks of callbacks, and the handler ${does}`, async () => {
    expectOurs(await ask(handler, slowlyByCallback));
  });
}

const MISSING = `${import.meta.filename}.missing`;
const web = (cancel: () => void) => new ReadableStream({ cancel });
const late: Record<string, (closed: () => void) => unknown> = {
  'a file': (closed) => createReadStream(import.meta.filename).once('close', closed),
  'a file that is not there': (closed) => createReadStream(MISSING).once('close', closed),
  'an endless stream': (closed) => new Readable({ read() {} }).once('close', closed),
  'a web stream': web,
  'a Response': (closed) => new Response(web(closed)),
};

for (const [what, make] of Object.entries(late)) {
  test.each<[string, (payload: unknown) => RouteHandlerMethod]>([
    ['returned', (make) => async () => sleep(150).then(make as () => unknown)],
    [
      'sent',
      (make) => (_, reply) => {
        setTimeout(() => reply.send((make as () => unknown)()), 150);
      },
    ],
  ])(`${what} that comes too late is let go of: %s`, async (_how, handlerOf) => {
    let isClosed = false;
    const closed = () => {
      isClosed = true;
    };
    expectOurs(
      await ask(
        handlerOf(() => make(closed)),
        () => {},
      ),
    );
    await expect.poll(() => isClosed).toBe(true);
  });
}

test('a stream that slow hooks hold past the deadline is let go of', async () => {
  const source = new Readable({ read() {} });
  expectOurs(await ask(async (_, reply) => reply.send(source)));
  await expect.poll(() => source.destroyed).toBe(true);
});

test('an answer whose hooks are done in time is the handler’s', async () => {
  const { answer, body } = await ask(
    async () => ({ mine: 1 }),
    (app) => {
      app.addHook('onSend', async () => {
        await sleep(20);
      });
    },
  );
  expect(answer.status).toBe(200);
  expect(JSON.parse(body)).toEqual({ mine: 1 });
});

test('a stream that has brought nothing in time, and breaks off when it is told, harms nothing', async () => {
  const got = await ask(
    async (request, reply) => {
      const source = new Readable({ read() {} });
      request.healing.signal.addEventListener('abort', () => source.destroy(new Error('told')));
      return reply.send(source);
    },
    () => {},
  );
  expectOurs(got);
});

test('a hook that fails after the late answer harms nothing', async () => {
  const got = await ask(handlers['sends before it'] as RouteHandlerMethod, (app) => {
    app.addHook('onSend', async () => {
      await sleep(100);
      throw new Error('hook');
    });
  });
  expectOurs(got);
});

test('a late answer carries the headers that hooks have set', async () => {
  const got = await ask(handlers['sends after it'] as RouteHandlerMethod, (app) => {
    app.addHook('onRequest', async (_, reply) => {
      reply.header('access-control-allow-origin', '*').header('x-bad', 'a\nb').header('etag', 'x');
    });
  });
  expectOurs(got);
  expect(got.answer.headers.get('access-control-allow-origin')).toBe('*');
  expect(got.answer.headers.has('etag')).toBe(false);
});

test('over HTTP/2 too, the late answer is whole', async () => {
  app = Fastify({ http2: true } as never) as unknown as FastifyInstance;
  slowlyByCallback(app);
  await app.register(healing, { runtime });
  const handler = handlers['sends by callback before it'] as RouteHandlerMethod;
  app.get('/x', { config: { healing: { deadlineMs: 100 } } }, handler);
  const session = connect(await app.listen({ port: 0 }));
  const stream = session.request({ ':path': '/x' }).setEncoding('utf8');
  let status: unknown;
  stream.on('response', (headers) => {
    status = headers[':status'];
  });
  let body = '';
  for await (const chunk of stream) body += chunk;
  await sleep(150);
  session.close();
  expect(status).toBe(504);
  expect(JSON.parse(body)).toMatchObject({ reason: 'deadline' });
});
