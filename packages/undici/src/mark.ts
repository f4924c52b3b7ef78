import { AsyncLocalStorage } from 'node:async_hooks';

const HEALED = Symbol.for('healix.healed.1');
const SCOPE = Symbol.for('healix.fetch.1');

/** Healed fetches and dispatchers of the process, of all copies of healix. */
interface Scope {
  readonly storage: AsyncLocalStorage<{ open: boolean }>;
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
export function isHealed(options: object): boolean {
  if ((options as { [HEALED]?: boolean })[HEALED] === true) return true;
  return scope.fetches > 0 && scope.storage.getStore()?.open === true;
}

/** The options of a request that is healed from here on. */
export function markHealed<T extends object>(options: T): T {
  return { ...options, [HEALED]: true };
}

/** Calls `send`, which fetches: dispatchers within it let its requests pass. */
export function inHealedFetch<T>(send: () => Promise<T>): Promise<T> {
  if (scope.dispatchers === 0) return send();
  const mark = { open: true };
  const close = () => {
    mark.open = false;
  };
  const sent = scope.storage.run(mark, send);
  sent.then(close, close);
  return sent;
}
