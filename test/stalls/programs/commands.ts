// What a program under test does when the test says so, over the channel that `fork` opens.

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
  process.on('message', async ({ id, name, argument }: Command) => {
    const value = await all[name]?.(argument as never);
    process.send?.({ id, value } satisfies Reply);
  });
  // Should the test end without it.
  process.on('disconnect', () => process.exit());
  process.send?.({ id: 0, value: undefined } satisfies Reply);
}

/** Says that it blocks, and does. */
export function block({ id, ms }: { id: number; ms: number }): void {
  process.send?.({ id, value: undefined } satisfies Reply);
  for (const until = performance.now() + ms; performance.now() < until; );
}
