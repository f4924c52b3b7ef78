import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { createGzip, gzipSync } from 'node:zlib';
import type { AppSpec, Call, Handler, MountSpec, RouteSpec } from './subject.ts';

const TEXT = { 'content-type': 'text/plain' };
const all = (path: string, handler: Handler): RouteSpec => ({ method: 'ALL', path, handler });
const get = (path: string, handler: Handler): RouteSpec => ({ method: 'GET', path, handler });

/** The response of HTTP/1: this app is spoken to in no other way. */
const raw = (call: Call) => call.res as ServerResponse;

/** All that a handler sees of its request. */
function echo(call: Call): unknown {
  const { method, url, httpVersion, rawHeaders } = call.req as IncomingMessage;
  const body = { method, url, httpVersion, rawHeaders, params: call.params, got: call.body ?? null };
  return call.send({ body });
}

/** Reads what nobody has parsed. */
async function sink(call: Call): Promise<unknown> {
  const { req } = call;
  const sum = createHash('sha1');
  let size = 0;
  for await (const chunk of req) {
    size += chunk.length;
    sum.update(chunk);
  }
  const { rawTrailers, complete } = req;
  return call.send({ body: { size, sum: sum.digest('hex'), rawTrailers, complete } });
}

/** Parts of a body; `end` comes after the last one. */
async function* parts(count: number, end?: () => unknown): AsyncGenerator<string> {
  for (let i = 0; i < count; i++) {
    yield `part ${i};`;
    await setImmediate();
  }
  await end?.();
}

/** Some frameworks tell the stack to whoever asked, and healing has its place in it. */
function failure(message: string): Error {
  return Object.assign(new Error(message), { stack: `Error: ${message}` });
}

function breaks(): never {
  throw failure('the disk is gone');
}

function gzipped(call: Call): unknown {
  const plain = 'compressible '.repeat(Number(call.params.times));
  if (!String(call.req.headers['accept-encoding']).includes('gzip')) {
    return call.send({ headers: { ...TEXT, vary: 'accept-encoding' }, body: plain });
  }
  const headers = { ...TEXT, vary: 'accept-encoding', 'content-encoding': 'gzip' };
  const body = call.params.how === 'whole' ? gzipSync(plain) : Readable.from([plain]).pipe(createGzip());
  return call.send({ headers, body });
}

/** Answers by Node's response alone. */
const BY_HAND: Record<string, (res: ServerResponse) => unknown> = {
  implicit(res) {
    res.statusCode = 202;
    res.statusMessage = 'Taken';
    res.setHeader('X-Set', ['a', 'b']);
    res.end('whole');
  },
  flat: (res) => res.writeHead(200, 'Fine', ['X-Flat', 'list', 'Content-Length', '4']).end('flat'),
  length: (res) => res.writeHead(200, { 'Content-Length': 6 }).end('length', 'latin1'),
  flushed(res) {
    res.flushHeaders();
    res.end('flushed');
  },
  corked(res) {
    res.cork();
    for (const part of ['one;', 'two;', 'three']) res.write(part);
    res.uncork();
    res.end();
  },
  trailers(res) {
    if (res.req.method === 'HEAD') return res.writeHead(200).end();
    res.writeHead(200, { Trailer: 'x-sum' }).write('body');
    res.addTrailers({ 'x-sum': '42' });
    return res.end();
  },
  informed(res) {
    res.writeProcessing();
    res.writeEarlyHints({ link: ['</a.css>; rel=preload', '</b.js>; rel=preload'] });
    res.writeHead(200).end('hinted');
  },
  async slowly(res) {
    for await (const part of parts(4)) res.write(part);
    res.end();
  },
  empty: (res) => res.writeHead(204).end(),
  latin1: (res) => res.writeHead(200, 'Caf\xe9', { 'X-Name': 'caf\xe9' }).end('caf\xe9', 'latin1'),
  twice(res) {
    res.end('once');
    res.end('never');
    res.write('never', () => {});
  },
  async destroyed(res) {
    res.writeHead(200).write('begun;');
    await setImmediate();
    res.destroy();
  },
  async cut(res) {
    res.writeHead(200, { 'Content-Length': 100 }).write('begun;');
    await setImmediate();
    res.socket?.destroy();
  },
};

function byHand(call: Call): unknown {
  const answer = BY_HAND[call.params.how ?? ''];
  if (answer === undefined) return call.send({ status: 404, body: 'no such way' });
  call.takeOver();
  raw(call).on('error', () => {});
  return answer(raw(call));
}

function fails({ params, error }: Call): Promise<never> {
  return Promise.reject(Object.assign(error(Number(params.status), 'named'), { stack: 'Error: named' }));
}

async function hinted(call: Call): Promise<unknown> {
  raw(call).writeEarlyHints({ link: '</a.css>; rel=preload' });
  await setImmediate();
  return call.send({ body: { hinted: true } });
}

async function throwsAfterHead(call: Call): Promise<never> {
  raw(call).writeHead(200, TEXT).write('begun;');
  await setImmediate();
  throw failure('too late');
}

async function late(call: Call): Promise<unknown> {
  for (let turns = Number(call.params.turns); turns > 0; turns--) await setImmediate();
  return call.send({ body: `after ${call.params.turns}` });
}

const things: RouteSpec[] = [
  all('/things/:id', echo),
  get('/throws', () => Promise.reject(failure('inside'))),
];
const deep: MountSpec = { prefixes: ['/:tenant', '/deep'], kind: 'router', routes: things };
const MOUNTS: readonly MountSpec[] = [
  { prefixes: ['/api/v1'], kind: 'router', routes: things, mounts: [deep] },
  { prefixes: ['/app'], kind: 'app', routes: things },
  { prefixes: ['/hidden'], kind: 'closure', routes: things },
];

/** An app with something of everything; `kinds` are the mounts that the framework knows. */
export function variedApp(kinds: readonly MountSpec['kind'][]): AppSpec {
  return {
    routes: [
      get('/', (call) => call.send({ body: 'root' })),
      get('/users/:id', echo),
      { method: 'POST', path: '/users/:id', handler: echo },
      { method: 'PUT', path: '/users/:id', handler: echo },
      { method: 'DELETE', path: '/users/:id', handler: (call) => call.send({ status: 204 }) },
      { method: 'OPTIONS', path: '/users/:id', handler: (call) => call.send({ status: 204 }) },
      all('/users/:id/orders/:order', echo),
      all('/sink', sink),
      all('/unread', (call) => call.send({ body: 'unread' })),
      all('/status/:status', (call) =>
        call.send({ status: Number(call.params.status), headers: { etag: '"abc"' } }),
      ),
      all('/status/:status/text', (call) =>
        call.send({ status: Number(call.params.status), headers: TEXT, body: 'text' }),
      ),
      get('/throws', () => Promise.reject(failure('secret'))),
      get('/throws/late', () => setImmediate().then(breaks)),
      get('/throws/head', throwsAfterHead),
      get('/error/:status', (call) => fails(call)),
      get('/stream/:parts', (call) =>
        call.send({ headers: TEXT, body: Readable.from(parts(Number(call.params.parts))) }),
      ),
      get('/breaks/:parts', (call) =>
        call.send({ headers: TEXT, body: Readable.from(parts(Number(call.params.parts), breaks)) }),
      ),
      get('/begun', (call) =>
        call.send({ headers: TEXT, body: Readable.from(parts(2, () => new Promise(() => {}))) }),
      ),
      all('/hangs', () => new Promise(() => {})),
      get('/events', (call) => {
        const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' };
        return call.send({ headers, body: Readable.from(parts(3)) });
      }),
      get('/redirect', (call) => call.redirect('/users/1')),
      get('/hinted', hinted),
      get('/late/:turns', late),
      get('/gzip/:how/:times', gzipped),
      all('/hand/:how', byHand),
      get('/text/:length', (call) =>
        call.send({
          headers: { ...TEXT, 'set-cookie': ['a=1', 'b=2'], 'x-empty': '', 'X-Case': 'Kept' },
          body: 'x'.repeat(Number(call.params.length)),
        }),
      ),
      get('/bytes/:length', (call) =>
        call.send({
          headers: { 'content-type': 'application/octet-stream' },
          body: Buffer.alloc(Number(call.params.length), 'ü'),
        }),
      ),
    ],
    mounts: MOUNTS.filter(({ kind }) => kinds.includes(kind)),
  };
}
