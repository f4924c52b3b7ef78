import { Readable } from 'node:stream';
import { seededRandom } from '@healix/core/testing';
import { wire } from './raw-client.ts';
import type { AppSpec, Call } from './subject.ts';

/** One request of a script, as it goes over the wire. */
interface Line {
  readonly method: string;
  readonly bytes: string;
}

/** Some requests on one connection, one after the other's answer or all at once. */
export interface Script {
  readonly pipelined: boolean;
  readonly lines: readonly Line[];
}

const METHODS = ['GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'];
const PATHS = [
  '/',
  '/users/1',
  '/users/%C3%BC%20x',
  '/users/1/orders/2?page=3&page=4',
  '/users/',
  '/status/200',
  '/status/201',
  '/status/204',
  '/status/304',
  '/status/404',
  '/status/503',
  '/throws',
  '/error/400',
  '/error/422',
  '/error/500',
  '/stream/3',
  '/redirect',
  '/text/200',
  '/text/70000',
  '/api/v1/things/9',
  '/api/v1/none',
  '/nowhere',
  '/%zz',
  '//double',
];
const HEADERS: Record<string, string>[] = [
  { Accept: 'application/json' },
  { 'X-Request-Id': 'conformance-1', 'User-Agent': 'seeded' },
  { 'If-None-Match': '"abc"', Range: 'bytes=0-3' },
  { Origin: 'https://a.example', 'Access-Control-Request-Method': 'PUT' },
  { Cookie: 'a=1; b=2', 'Accept-Encoding': 'gzip, br' },
];
const BODIES: readonly [type: string, body: string][] = [
  ['application/json', '{"a":[1,2,{"b":null}]}'],
  ['application/json', '{"broken":'],
  ['application/json', '""'],
  ['application/json; charset=utf-8', '{"ü":"ß"}'],
];

/** Requests by seed: `count` of them in all, on connections of one to six. */
export function scripts(seed: number, count: number): Script[] {
  const random = seededRandom(seed);
  const below = (limit: number) => Math.floor(random.next() * limit);
  const oneOf = <T>(list: readonly T[]): T => list[below(list.length)] as T;

  function line(last: boolean): Line {
    const method = oneOf(METHODS);
    const headers: Record<string, string> = last ? { Connection: 'close' } : {};
    for (let more = below(3); more > 0; more--) Object.assign(headers, oneOf(HEADERS));
    const path = oneOf(PATHS);
    if (!['POST', 'PUT', 'PATCH'].includes(method)) return { method, bytes: wire(method, path, { headers }) };
    const [type, body] = oneOf(BODIES);
    headers['Content-Type'] = type;
    if (below(2) === 0) return { method, bytes: wire(method, path, { headers, body }) };
    const length = Buffer.byteLength(body);
    const chunk = `${length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    return {
      method,
      bytes: wire(method, path, { headers: { ...headers, 'Transfer-Encoding': 'chunked' } }) + chunk,
    };
  }

  const all: Script[] = [];
  for (let left = count; left > 0; ) {
    const length = Math.min(left, 1 + below(6));
    const lines = Array.from({ length }, (_, i) => line(i === length - 1));
    all.push({ pipelined: below(2) === 0, lines });
    left -= length;
  }
  return all;
}

const echo = (call: Call) => call.send({ body: { params: call.params, got: call.body ?? null } });

/** An app with something of everything. */
export const VARIED: AppSpec = {
  routes: [
    { method: 'GET', path: '/', handler: (call) => call.send({ body: 'root' }) },
    { method: 'GET', path: '/users/:id', handler: echo },
    { method: 'POST', path: '/users/:id', handler: echo },
    { method: 'PUT', path: '/users/:id', handler: echo },
    { method: 'DELETE', path: '/users/:id', handler: (call) => call.send({ status: 204 }) },
    { method: 'ALL', path: '/users/:id/orders/:order', handler: echo },
    {
      method: 'ALL',
      path: '/status/:status',
      handler: (call) => call.send({ status: Number(call.params.status), headers: { etag: '"abc"' } }),
    },
    { method: 'GET', path: '/throws', handler: () => Promise.reject(new Error('secret')) },
    {
      method: 'GET',
      path: '/error/:status',
      handler: (call) => Promise.reject(call.error(Number(call.params.status), 'by the framework')),
    },
    {
      method: 'GET',
      path: '/stream/:parts',
      handler: (call) => call.send({ headers: { 'content-type': 'text/plain' }, body: partsOf(call) }),
    },
    { method: 'GET', path: '/redirect', handler: (call) => call.redirect('/users/1') },
    {
      method: 'GET',
      path: '/text/:length',
      handler: (call) =>
        call.send({
          headers: { 'content-type': 'text/plain', 'set-cookie': ['a=1', 'b=2'] },
          body: 'x'.repeat(Number(call.params.length)),
        }),
    },
    { method: 'OPTIONS', path: '/users/:id', handler: (call) => call.send({ status: 204 }) },
  ],
  mounts: [
    {
      prefixes: ['/api/v1'],
      kind: 'router',
      routes: [{ method: 'GET', path: '/things/:id', handler: echo }],
    },
  ],
};

function partsOf({ params }: Call): Readable {
  return Readable.from(Array.from({ length: Number(params.parts) }, (_, i) => `part ${i};`));
}
