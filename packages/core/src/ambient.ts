import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import type { RequestScope } from './request-scope.ts';
import { layOptions, type RunOptions } from './run-options.ts';

/** What the code around a call says of it. */
export interface Ambient {
  /** What `withOptions` set. */
  readonly options: RunOptions | undefined;
  /** The inbound request that the code works for. */
  readonly scope: RequestScope | undefined;
}

/** Of all copies of healix in the process: an adapter may have come with one of its own. */
interface Shared {
  readonly storage: AsyncLocalStorage<Ambient>;
  /** Until something is set, nothing is looked for. */
  used: boolean;
}

const AMBIENT = Symbol.for('healix.ambient.1');
const holder = globalThis as { [AMBIENT]?: Shared };
holder[AMBIENT] ??= { storage: new AsyncLocalStorage(), used: false };
const shared = holder[AMBIENT];

/** Calls `fn`; every healed call within it, however deep, has `options` where it says nothing itself. */
export function withOptions<T>(options: RunOptions, fn: () => T): T {
  shared.used = true;
  const around = shared.storage.getStore();
  const laid = layOptions(around?.options ?? {}, options);
  return shared.storage.run({ options: laid, scope: around?.scope }, fn);
}

/** Calls `fn`; every healed call within it, however deep, is made on behalf of the request of `scope`. */
export function withScope<T>(scope: RequestScope, fn: () => T): T {
  shared.used = true;
  const around = shared.storage.getStore();
  return around?.scope === scope ? fn() : shared.storage.run({ options: around?.options, scope }, fn);
}

/** What was set around the running code. */
export function ambient(): Ambient | undefined {
  return shared.used ? shared.storage.getStore() : undefined;
}

/** The async context of the code that runs now, for what a timer does later on its behalf. */
export function callerContext(): AsyncResource {
  return new AsyncResource('healix.call', { requireManualDestroy: true });
}
