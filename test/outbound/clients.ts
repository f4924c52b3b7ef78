import { PassThrough, Readable, type Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Healing } from '@healix/core';
import { healingDispatcher, healingFetch, healingInterceptor } from '@healix/undici';
import * as undici8 from 'undici';
import * as undici7Module from 'undici7';

const undici7 = undici7Module as unknown as typeof undici8;

export interface Ask {
  method?: string;
  body?: string | Buffer | Readable | AsyncIterable<Buffer>;
  headers?: Record<string, string> | string[] | Map<string, string>;
  reset?: boolean;
  highWaterMark?: number;
  signal?: AbortSignal;
  healing?: object | false;
  idempotent?: boolean;
}

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  body: string;
  trailers?: Record<string, unknown>;
}

/** One way to make a request through healing. */
export interface Client {
  ask(url: string, ask?: Ask): Promise<Answer>;
  close(): Promise<void>;
}

type Undici = typeof undici8;
type Way = 'request' | 'stream' | 'pipeline' | 'fetch';

/** Makes a request of undici's, in one of its four ways, through `dispatcher`. */
export function asker(undici: Undici, way: Way, dispatcher: undici8.Dispatcher): Client['ask'] {
  if (way === 'fetch') {
    return (url, ask) => fetchAnswer(undici.fetch as never, url, { ...ask, dispatcher } as never);
  }
  return async (url, ask = {}) => {
    const options = { ...ask, dispatcher, method: ask.method ?? 'GET' } as never;
    if (way === 'request') {
      const { statusCode, headers, body, trailers } = await undici.request(url, options);
      return { status: statusCode, headers, body: await body.text(), trailers };
    }
    const out = new PassThrough();
    const body = text(out);
    body.catch(() => {});
    const head = { status: 0, headers: {} as Record<string, unknown> };
    if (way === 'stream') {
      const { trailers } = await undici.stream(url, options, ({ statusCode, headers }) => {
        Object.assign(head, { status: statusCode, headers });
        return out as Writable;
      });
      return { ...head, body: await body, trailers };
    }
    const { body: sent, ...rest } = ask;
    const duplex = undici.pipeline(
      url,
      { ...rest, dispatcher, method: ask.method ?? 'GET' } as never,
      ({ statusCode, headers, body: received }) => {
        Object.assign(head, { status: statusCode, headers });
        return received;
      },
    );
    if (sent instanceof Readable) sent.pipe(duplex);
    else duplex.end(sent);
    return { ...head, body: await text(duplex), ...head };
  };
}

async function fetchAnswer(fetch: typeof globalThis.fetch, url: string, ask: Ask = {}): Promise<Answer> {
  const { healing, idempotent, ...init } = ask;
  const duplex = ask.body instanceof Readable ? { duplex: 'half' } : undefined;
  const response = await fetch(url, { ...init, ...duplex } as never);
  const headers: Record<string, unknown> = {};
  for (const [name, value] of response.headers) {
    const known = headers[name];
    headers[name] = known === undefined ? value : [known, value].flat();
  }
  return { status: response.status, headers, body: await response.text() };
}

function overDispatcher(
  undici: Undici,
  way: Way,
  wrap: (agent: undici8.Dispatcher) => undici8.Dispatcher,
): Client {
  const agent = new undici.Agent({ connections: 20 });
  return { ask: asker(undici, way, wrap(agent)), close: () => agent.destroy() };
}

export interface ClientKind {
  readonly name: string;
  /** What is safe to repeat is repeated: a pipeline's body is a stream, even an empty one. */
  readonly repeats: boolean;
  /** A body of text reaches the dispatcher as it is: fetch makes a stream of it. */
  readonly replays: boolean;
  /** Options stand beside the request. */
  readonly options: boolean;
  /** Its calls end with the body. */
  readonly body: boolean;
  readonly informs: boolean;
  make(runtime: Healing): Client;
}

function kind(undici: Undici, major: number, way: Way, through: 'interceptor' | 'dispatcher'): ClientKind {
  return {
    name: `undici ${major} ${way}, ${through}`,
    repeats: way !== 'pipeline',
    replays: way === 'request' || way === 'stream',
    options: way !== 'fetch',
    body: true,
    informs: way === 'request',
    make: (runtime) =>
      overDispatcher(undici, way, (agent) =>
        through === 'dispatcher'
          ? healingDispatcher(agent, { runtime })
          : agent.compose(healingInterceptor({ runtime })),
      ),
  };
}

function fetchKind(name: string, fetch: typeof globalThis.fetch): ClientKind {
  return {
    name,
    repeats: true,
    replays: true,
    options: false,
    body: false,
    informs: false,
    make(runtime) {
      const healed = healingFetch(fetch, { runtime });
      return { ask: (url, ask) => fetchAnswer(healed, url, ask), close: async () => {} };
    },
  };
}

const WAYS = ['request', 'stream', 'pipeline', 'fetch'] as const;

export const CLIENTS: readonly ClientKind[] = [
  ...WAYS.map((way) => kind(undici8, 8, way, 'interceptor')),
  kind(undici8, 8, 'request', 'dispatcher'),
  kind(undici8, 8, 'fetch', 'dispatcher'),
  fetchKind('healingFetch over the built-in fetch', globalThis.fetch),
  fetchKind('healingFetch over undici 8', undici8.fetch as never),
  ...WAYS.map((way) => kind(undici7, 7, way, 'interceptor')),
  kind(undici7, 7, 'request', 'dispatcher'),
];

export { undici7, undici8 };
