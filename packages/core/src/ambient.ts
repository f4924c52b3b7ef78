import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { layOptions, type RunOptions } from './run-options.ts';

const storage = new AsyncLocalStorage<RunOptions>();
let everUsed = false;

/** Calls `fn`; every healed call within it, however deep, has `options` where it says nothing itself. */
export function withOptions<T>(options: RunOptions, fn: () => T): T {
  everUsed = true;
  return storage.run(layOptions(storage.getStore() ?? {}, options), fn);
}

/** The options that `withOptions` set around the running code. */
export function ambientOptions(): RunOptions | undefined {
  return everUsed ? storage.getStore() : undefined;
}

/** The async context of the code that runs now, for what a timer does later on its behalf. */
export function callerContext(): AsyncResource {
  return new AsyncResource('healix.call', { requireManualDestroy: true });
}
