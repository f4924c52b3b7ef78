import { findHealixError } from '@healix/core';
import { type OutboundOptions, readOutboundOptions } from '@healix/core/adapter';
import { discard } from './discard.ts';
import { findHeader } from './headers.ts';
import { inHealedFetch, noteFetch } from './mark.ts';
import { isReplayable } from './repeatable.ts';
import { Upstreams } from './upstreams.ts';

const ONCE = { idempotent: false };

/** A fetch, whoever made it. */
// biome-ignore lint/suspicious/noExplicitAny: fetches differ in what they take and give
export type AnyFetch = (input: any, init?: any) => Promise<any>;

interface Init {
  method?: string;
  headers?: unknown;
  body?: unknown;
  signal?: AbortSignal | null;
}

/** What is read of a Request, and of what is given beside it. */
interface Asked {
  readonly origin: string;
  readonly path: string;
  readonly method: string;
  readonly headers: unknown;
  readonly signal: AbortSignal | undefined;
  readonly replayable: boolean;
}

interface AnswerLike {
  readonly body?: unknown;
}

/**
 * `fetch` with healing around it: the global one, undici's, or any that is called like them. It refuses and times
 * out with HealixErrors as they are, not as the cause of a TypeError. A call ends at the answer's headers; who
 * wants bodies watched too heals the dispatcher.
 *
 * @throws ConfigError
 */
export function healingFetch<F extends AnyFetch = typeof fetch>(fetch?: F, options?: OutboundOptions): F {
  const send: AnyFetch = fetch ?? ((input, init) => globalThis.fetch(input, init));
  const upstreams = new Upstreams(readOutboundOptions(options), false);
  noteFetch();
  return ((input: unknown, init?: Init) => heal(upstreams, send, input, init)) as F;
}

async function heal(
  upstreams: Upstreams,
  send: AnyFetch,
  input: unknown,
  init: Init | undefined,
): Promise<unknown> {
  const asked = ask(input, init);
  if (asked === undefined || upstreams.runtime.disabled) return send(input, init);
  const { origin, method, headers, signal, replayable } = asked;
  const target = upstreams.targetOf(asked, undefined);
  let last: AnswerLike | undefined;
  try {
    return await target.run(
      async (attempt) => {
        discard(last?.body);
        const ends = signal === undefined ? attempt.signal : AbortSignal.any([signal, attempt.signal]);
        const { host } = attempt;
        const goesTo = host === undefined ? origin : new URL(host).origin;
        const sent = host === undefined ? input : elsewhere(input, host);
        const told = { ...init, signal: ends, ...withTold(headers, attempt.headers) };
        last = await inHealedFetch(goesTo, () => send(sent, told));
        return last;
      },
      {
        method,
        idempotencyKey: findHeader(headers, 'idempotency-key') !== undefined,
        ...(signal && { signal }),
        ...(replayable ? undefined : ONCE),
      },
    );
  } catch (error) {
    throw findHealixError(error) ?? error;
  }
}

/** The same to another origin. */
function elsewhere(input: unknown, host: string): unknown {
  const request =
    typeof input === 'object' && input !== null && 'url' in input ? (input as Request) : undefined;
  const url = new URL(request === undefined ? String(input) : request.url);
  const { protocol, hostname, port } = new URL(host);
  Object.assign(url, { protocol, hostname, port });
  return request === undefined ? url.href : new Request(url, request);
}

/** What the other side is told of its time, beside the request's own headers. */
function withTold(headers: unknown, told: Readonly<Record<string, string>>): Init {
  const names = Object.keys(told);
  if (names.length === 0) return {};
  const all = new Headers(headers as ConstructorParameters<typeof Headers>[0]);
  for (const name of names) all.set(name, told[name] as string);
  return { headers: [...all] };
}

function ask(input: unknown, init: Init = {}): Asked | undefined {
  const request = (typeof input === 'object' && input !== null ? input : {}) as Partial<Request>;
  const text = typeof request.url === 'string' ? request.url : String(input);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') return undefined;
  return {
    origin: url.origin,
    path: url.pathname + url.search,
    method: String(init.method ?? request.method ?? 'GET').toUpperCase(),
    headers: init.headers ?? request.headers,
    signal: (init.signal === undefined ? request.signal : init.signal) ?? undefined,
    replayable:
      init.body == null
        ? request.body == null
        : isReplayable(init.body) || init.body instanceof URLSearchParams,
  };
}
