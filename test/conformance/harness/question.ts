import type { Dice } from './dice.ts';

/** One request as it goes over the wire, in latin1. */
export interface Question {
  readonly method: string;
  readonly bytes: string;
  /** What is sent once `100 Continue` has come. */
  readonly afterContinue?: string;
}

type Header = readonly [name: string, value: string];

const ANY = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'];
const READ = ['GET', 'GET', 'HEAD'];
const WRITE = ['POST', 'PUT', 'POST', 'PATCH'];

const PLACES: readonly (readonly [methods: readonly string[], paths: readonly string[]])[] = [
  [
    READ,
    ['/', '/users/1', '/users/%C3%BC%20x', '/users/a;b=c', '/users/users', '/USERS/1', '/users/1?x=%zz'],
  ],
  [READ, ['/stream/0', '/stream/1', '/stream/5', '/events', '/redirect', '/hinted', '/late/1', '/late/9']],
  [READ, ['/text/0', '/text/200', '/text/70000', '/bytes/1', '/bytes/200000', '/throws', '/throws/late']],
  [READ, ['/gzip/whole/1', '/gzip/whole/9000', '/gzip/stream/0', '/gzip/stream/9000']],
  [READ, ['/error/400', '/error/401', '/error/422', '/error/500', '/error/503']],
  [
    WRITE,
    ['/users/1', '/users/2?page=3&page=4', '/users/1/orders/2', '/api/v1/things/9', '/sink', '/unread'],
  ],
  [ANY, ['/users/1/orders/2?page=3', '/sink', '/unread', '/users/1', '/app/things/1', '/hidden/things/1']],
  [ANY, ['/status/200', '/status/201', '/status/204', '/status/202', '/status/304', '/status/404']],
  [ANY, ['/status/200/text', '/status/204/text', '/status/304/text', '/status/418/text', '/status/503']],
  [
    [...READ, 'POST'],
    [
      ...['implicit', 'flat', 'length', 'flushed', 'corked', 'trailers', 'informed', 'slowly'],
      ...['empty', 'latin1', 'twice', 'other'],
    ].map((how) => `/hand/${how}`),
  ],
  [READ, ['/api/v1/things/1', '/api/v1/acme/things/2', '/api/v1/deep/things/3', '/api/v1/deep/throws']],
  [READ, ['/app/things/1', '/app/throws', '/app/none', '/hidden/things/1', '/hidden/throws', '/hidden']],
  [ANY, ['/users/', '/users', '/nowhere', '/%zz', '//double', '/users//1', '/api/v1/', '/?', '/.', '*']],
  [ANY, ['/users/..%2f1', '/users/1#hash', 'http://conformance/users/1', `/users/${'l'.repeat(1_500)}`]],
];

const HEADERS: readonly (readonly Header[])[] = [
  [['Accept', 'application/json']],
  [
    ['X-Request-Id', 'conformance-1'],
    ['User-Agent', 'seeded'],
  ],
  [
    ['If-None-Match', '"abc"'],
    ['Range', 'bytes=0-3'],
  ],
  [['If-None-Match', '*']],
  [['If-Modified-Since', 'Thu, 01 Jan 2026 00:00:00 GMT']],
  [
    ['Origin', 'https://a.example'],
    ['Access-Control-Request-Method', 'PUT'],
  ],
  [
    ['Cookie', 'a=1; b=2'],
    ['cookie', 'c=3'],
  ],
  [['Accept-Encoding', 'gzip, br']],
  [['Accept-Encoding', 'identity;q=1, *;q=0']],
  [
    ['X-Twice', '1'],
    ['x-twice', '2'],
  ],
  [['X-Empty', '']],
  [['x-latin', 'caf\xe9']],
  [['X-Padded', '   inside   ']],
  [['X-Long', 'l'.repeat(4_000)]],
  [['X-Forwarded-For', '203.0.113.7, 10.0.0.1']],
  [['X-HTTP-Method-Override', 'DELETE']],
  [['Connection', 'keep-alive']],
  [['TE', 'trailers']],
];

const BODIES: readonly (readonly [type: string | undefined, body: string])[] = [
  ['application/json', '{"a":[1,2,{"b":null}]}'],
  ['application/json', '{"broken":'],
  ['application/json', '""'],
  ['application/json', `{"long":"${'l'.repeat(70_000)}"}`],
  ['application/json; charset=utf-8', '{"\xc3\xbc":"\xc3\x9f"}'],
  ['application/json', ''],
  ['text/plain', 'plain'],
  ['application/octet-stream', '\x00\xff'.repeat(40_000)],
  ['application/x-www-form-urlencoded', 'a=1&b=2'],
  ['nonsense', 'x'],
  [undefined, 'untyped'],
];
const BODIED = ['POST', 'PUT', 'PATCH'];
const FRAMINGS = ['none', 'length', 'length', 'chunks', 'chunks', 'chunks with trailers'] as const;

/** A request at random; `last` asks for the end of the connection. */
export function question(dice: Dice, last: boolean): Question {
  const [methods, paths] = dice.oneOf(PLACES);
  const method = dice.oneOf(methods);
  const headers: Header[] = [['Host', dice.oneIn(20) ? '' : 'conformance']];
  for (let more = dice.below(4); more > 0; more--) headers.push(...dice.oneOf(HEADERS));
  if (last) headers.push(['Connection', 'close']);
  const line = `${method} ${dice.oneOf(paths)} HTTP/1.1`;
  const bodied = BODIED.includes(method) || dice.oneIn(12);
  return bodied ? withBody(dice, method, line, headers) : { method, bytes: head(line, headers) };
}

export function head(line: string, headers: readonly Header[]): string {
  return `${[line, ...headers.map(([name, value]) => `${name}: ${value}`)].join('\r\n')}\r\n\r\n`;
}

function withBody(dice: Dice, method: string, line: string, headers: Header[]): Question {
  const [type, body] = dice.oneOf(BODIES);
  const framing = dice.oneOf(FRAMINGS);
  if (type !== undefined) headers.push(['Content-Type', type]);
  if (framing === 'none') return { method, bytes: head(line, headers) };
  if (framing === 'length') headers.push(['Content-Length', String(body.length)]);
  else headers.push(['Transfer-Encoding', 'chunked']);
  const content = framing === 'length' ? body : chunked(dice, body, framing === 'chunks with trailers');
  if (!dice.oneIn(5)) return { method, bytes: head(line, headers) + content };
  headers.push(['Expect', '100-continue']);
  // Some clients do not wait.
  if (dice.oneIn(3)) return { method, bytes: head(line, headers) + content };
  return { method, bytes: head(line, headers), afterContinue: content };
}

function chunked(dice: Dice, body: string, trailers: boolean): string {
  let bytes = '';
  for (let at = 0; at < body.length; ) {
    const size = Math.min(body.length - at, 1 + dice.below(dice.oneIn(2) ? 20_000 : 30_000));
    bytes += `${size.toString(16)}${dice.oneIn(4) ? ';name="value"' : ''}\r\n${body.slice(at, at + size)}\r\n`;
    at += size;
  }
  return `${bytes}0\r\n${trailers ? 'X-Sum: 42\r\nx-sum: 43\r\n' : ''}\r\n`;
}
