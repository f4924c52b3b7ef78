import { AsyncLocalStorage } from 'node:async_hooks';
import { findHeader } from './headers.ts';

const HEALED = Symbol.for('healix.healed.1');
const SCOPE = Symbol.for('healix.fetch.1');

/** A healed fetch under way. What it asks of other origins, such as for a token, is not healed by it. */
interface Mark {
  readonly origin: string;
  open: boolean;
}

/** What of a request says where it goes to. */
interface Going {
  readonly origin?: string | URL | null;
  readonly headers?: unknown;
}

/** Healed fetches and dispatchers of the process, of all copies of healix. */
interface Scope {
  readonly storage: AsyncLocalStorage<Mark>;
  fetches: number;
  dispatchers: number;
}

const holder = globalThis as { [SCOPE]?: Scope };
holder[SCOPE] ??= { storage: new AsyncLocalStorage(), fetches: 0, dispatchers: 0 };
const scope = holder[SCOPE];

/** Notes that there are healed dispatchers, so that a healed fetch has to tell them of itself. */
export function noteDispatcher(): void {
  scope.dispatchers++;
}

/** Notes that there are healed fetches, so that a healed dispatcher has to look for them. */
export function noteFetch(): void {
  scope.fetches++;
}

/** Whether a request is healed further out, so that what is within lets it pass. */
export function isHealed(options: Going): boolean {
  if ((options as { [HEALED]?: boolean })[HEALED] === true) return true;
  if (scope.fetches === 0) return false;
  const mark = scope.storage.getStore();
  return mark?.open === true && goesTo(options, mark.origin);
}

/** The options of a request that is healed from here on. */
export function markHealed<T extends object>(options: T): T {
  return { ...options, [HEALED]: true };
}

/** Calls `send`, which fetches: dispatchers within it let its requests to `origin` pass. */
export function inHealedFetch<T>(origin: string, send: () => Promise<T>): Promise<T> {
  if (scope.dispatchers === 0) return send();
  const mark: Mark = { origin, open: true };
  const close = () => {
    mark.open = false;
  };
  const sent = scope.storage.run(mark, send);
  sent.then(close, close);
  return sent;
}

/** A client of one origin may leave it out; dns interceptors put the name into the host header. */
function goesTo({ origin, headers }: Going, healed: string): boolean {
  if (origin == null || origin === healed) return true;
  const text = String(origin);
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return url.origin === healed || `${url.protocol}//${findHeader(headers, 'host')}` === healed;
}
