import { ConfigError } from './errors.ts';
import { Healing, type HealingOptions } from './healing.ts';

/** Duplicate installs of healix meet here. */
const SLOT = Symbol.for('healix.runtime.1');

interface Slot {
  readonly runtime: Healing;
  readonly madeBy: string;
}

type Global = typeof globalThis & { [SLOT]?: Slot | undefined };

/**
 * Makes a runtime: what heals a process. The first becomes the process's shared one, which adapters find by
 * themselves; `shared: false` keeps one apart.
 *
 * @throws ConfigError for a wrong setting, or when there is a shared runtime already
 */
export function createHealing(options: HealingOptions = {}): Healing {
  const slot = (globalThis as Global)[SLOT];
  if (options?.shared !== false && slot !== undefined) {
    throw new ConfigError(
      'shared',
      options?.shared ?? true,
      `false, since the shared runtime was made by ${slot.madeBy}`,
    );
  }
  const runtime = new Healing(options);
  if (options?.shared !== false) share(runtime, callerOf(createHealing));
  return runtime;
}

/** The process's shared runtime; made with defaults when there is none yet. */
export function defaultHealing(): Healing {
  const slot = (globalThis as Global)[SLOT];
  return slot?.runtime ?? share(new Healing({}), `${callerOf(defaultHealing)}, with defaults`);
}

function share(runtime: Healing, madeBy: string): Healing {
  const holder = globalThis as Global;
  holder[SLOT] = { runtime, madeBy };
  runtime.onClose(() => {
    if (holder[SLOT]?.runtime === runtime) holder[SLOT] = undefined;
  });
  return runtime;
}

function callerOf(fn: (...args: never[]) => unknown): string {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, fn);
  const line = holder.stack?.split('\n')[1]?.trim();
  return line?.replace(/^at /, '') ?? 'somebody';
}
