// What a program under test does when the test says so, over the channel that `fork` opens, or a worker thread has.
import { parentPort } from 'node:worker_threads';

export interface Command {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

export interface Reply {
  readonly id: number;
  readonly value: unknown;
}

type Commands = Readonly<Record<string, (argument: never) => unknown>>;

/** Answers commands, and can have its event loop blocked. */
export function obey(commands: Commands): void {
  const all: Commands = { ...commands, block };
  (parentPort ?? process).on('message', async ({ id, name, argument }: Command) => {
    const value = await all[name]?.(argument as never);
    reply({ id, value });
  });
  // Should the test end without it.
  process.on('disconnect', () => process.exit());
  reply({ id: 0, value: undefined });
}

function reply(message: Reply): void {
  if (parentPort !== null) parentPort.postMessage(message);
  else process.send?.(message);
}

/** Says that it blocks, and does. */
export function block({ id, ms }: { id: number; ms: number }): void {
  reply({ id, value: undefined });
  for (const until = performance.now() + ms; performance.now() < until; );
}
