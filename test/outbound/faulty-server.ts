import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

/** One request as the server saw it. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly host: string;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

type Step = (res: ServerResponse, query: URLSearchParams, seen: Seen) => unknown;

const TEXT = { 'content-type': 'text/plain', 'x-one': '1', 'set-cookie': ['a=1', 'b=2'] };

/** What the server can do with a request. Written into the path: `/503,reset,ok` fails twice, then answers. */
const STEPS = {
  ok(res, _query, { method, body }) {
    res.writeHead(200, TEXT).end(`${method} ${body}`);
  },
  big(res, query) {
    res.writeHead(200, TEXT).end(Buffer.alloc(Number(query.get('size') ?? 300_000), 'b'));
  },
  cached: (res) =>
    res.writeHead(200, { 'cache-control': 'public, max-age=60', 'content-length': 4 }).end('kept'),
  empty: (res) => res.writeHead(204).end(),
  'not-modified': (res) => res.writeHead(304, { etag: '"abc"' }).end(),
  gzip: (res, query) =>
    res
      .writeHead(200, { ...TEXT, 'content-encoding': 'gzip' })
      .end(gzipSync('z'.repeat(Number(query.get('size') ?? 1_000)))),
  '404': (res) => res.writeHead(404, TEXT).end('not here'),
  '500': (res, query) => res.writeHead(500, TEXT).end('x'.repeat(Number(query.get('size') ?? 6))),
  // The rest comes when it is certain that another attempt follows.
  '500-late'(res, query) {
    res.writeHead(500, TEXT).write('some');
    setTimeout(() => res.end(Buffer.alloc(Number(query.get('size')), 'x')), 50);
  },
  '503': (res) => res.writeHead(503, TEXT).end('busy'),
  '503-stalls': (res) => void res.writeHead(503, TEXT).write('busy'),
  '503-close': (res) => res.writeHead(503, { ...TEXT, connection: 'close' }).end('busy'),
  '503-trailers': (res, _query, seen) => withTrailers(res, 503, 'busy', '7', seen),
  '503-after': (res, query) =>
    res.writeHead(503, { ...TEXT, 'retry-after': query.get('after') ?? '0' }).end('busy'),
  '429': (res, query) =>
    res.writeHead(429, { ...TEXT, 'retry-after': query.get('after') ?? '0' }).end('slow down'),
  reset: (res) => (res.socket as Socket).resetAndDestroy(),
  close: (res) => (res.socket as Socket).end(),
  'reset-body'(res) {
    res.writeHead(200, { 'content-length': 100 }).write('some');
    setTimeout(() => res.socket?.resetAndDestroy(), 20);
  },
  truncated(res) {
    res.socket?.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nsome');
  },
  malformed: (res) => void res.socket?.end('HTTP/1.1 two hundred\r\n\r\n'),
  hang: () => {},
  'slow-headers'(res, query) {
    setTimeout(() => res.writeHead(200, TEXT).end('slow'), Number(query.get('ms') ?? 100));
  },
  'slow-body'(res, query) {
    res.writeHead(200, TEXT).write('slow ');
    setTimeout(() => res.end('body'), Number(query.get('ms') ?? 100));
  },
  'hang-body': (res) => void res.writeHead(200, TEXT).write('some'),
  hints(res) {
    res.writeEarlyHints({ link: '</a.css>; rel=preload' });
    res.writeHead(200, TEXT).end('hinted');
  },
  'hints-503'(res) {
    res.writeEarlyHints({ link: '</a.css>; rel=preload' });
    res.writeHead(503, TEXT).end('busy');
  },
  async chunks(res, query) {
    const seed = Number(query.get('seed') ?? 1);
    res.writeHead(200, TEXT);
    for (let i = 1; i <= 20; i++) {
      if (i % (seed + 1) === 0) await setImmediate();
      res.write(Buffer.alloc((i * seed * 997) % 9_000, i));
    }
    res.end();
  },
  // Past Node's own response: the next request on the connection would wait for that one.
  'odd-headers'(res) {
    res.socket?.end(
      'HTTP/1.1 299 Odd Reason\r\nX-UPPER: Caf\xe9\r\nx-empty:\r\nx-two: 1\r\nX-Two: 2\r\nconnection: close\r\ncontent-length: 3\r\n\r\nodd',
      'latin1',
    );
  },
  trailers: (res, _query, seen) => withTrailers(res, 200, 'body', '42', seen),
  redirect(res, query) {
    const left = Number(query.get('hops') ?? 1);
    const location =
      left > 1 ? `/redirect?hops=${left - 1}&${query}` : `/${query.get('to') ?? 'ok'}?${query}`;
    res.writeHead(302, { location }).end('moved');
  },
} satisfies Record<string, Step>;

function withTrailers(
  res: ServerResponse,
  status: number,
  body: string,
  sum: string,
  { method }: Seen,
): void {
  if (method === 'HEAD') {
    res.writeHead(status, TEXT).end();
    return;
  }
  res.writeHead(status, { ...TEXT, trailer: 'x-sum' }).write(body);
  res.addTrailers({ 'x-sum': sum });
  res.end();
}

/** A server that misbehaves as each request asks it to. */
export class FaultyServer {
  readonly seen: Seen[] = [];
  /** How many connections have ended. */
  closed = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #turns = new Map<string, number>();

  constructor() {
    this.#server = createServer((req, res) => this.#answer(req, res));
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.closed++;
        this.#sockets.delete(socket);
      });
    });
    this.#server.on('upgrade', (req, socket: Socket) => {
      this.#note(req, '');
      if (req.url?.startsWith('/refuse')) {
        socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
        return;
      }
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n');
      socket.on('data', (chunk) => socket.write(chunk));
    });
    this.#server.on('connect', (_req, socket: Socket) => {
      socket.write('HTTP/1.1 200 Connected\r\n\r\n');
      socket.on('data', (chunk) => socket.write(chunk));
    });
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  /** How many requests came whose address contains `part`. */
  count(part: string): number {
    return this.seen.filter(({ url }) => url.includes(part)).length;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #note(req: IncomingMessage, body: string): Seen {
    const { method = '', url = '', headers, rawHeaders } = req;
    const seen = { method, url, host: headers.host ?? '', rawHeaders, body };
    this.seen.push(seen);
    return seen;
  }

  #answer(req: IncomingMessage, res: ServerResponse): void {
    const chunks: Buffer[] = [];
    req.on('error', () => {});
    res.on('error', () => {});
    req.on('data', (chunk) => chunks.push(chunk));
    req.on('end', () => {
      const seen = this.#note(req, Buffer.concat(chunks).toString());
      const { pathname, searchParams } = new URL(seen.url, 'http://x');
      const steps = pathname.slice(1).split(',');
      const turn = this.#turns.get(seen.url) ?? 0;
      this.#turns.set(seen.url, turn + 1);
      const name = steps[Math.min(turn, steps.length - 1)] as keyof typeof STEPS;
      (STEPS[name] as Step)(res, searchParams, seen);
    });
  }
}

/** An origin where nothing listens. */
export async function refusedOrigin(): Promise<string> {
  const server = await new FaultyServer().listen();
  const { origin } = server;
  await server.close();
  return origin;
}
