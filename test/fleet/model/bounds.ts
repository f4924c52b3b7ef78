import type { World } from './world.ts';

/** `maxOpenMs`, as it is by default. */
const MAX_OPEN_MS = 2_000;
/** So long after the last fault all circuits are closed. */
export const CLOSED_MS = MAX_OPEN_MS + 2_700;
/** So long after an upstream has failed for all, with `callsPerSecond` of 10, all circuits are open. */
const OPEN_MS = 4_000;
/** Connections are made, members known, windows no longer empty. */
const WARM_MS = 3_000;

export const isClosed = (world: World) => world.users.every(({ state }) => state === 'closed');
export const isOpen = (world: World) => world.users.every(({ state }) => state !== 'closed');
/** None that has closed by itself holds a record open that others would still heed. */
const recordIsClosed = ({ record }: World) => record === undefined || record.st === 'closed';

export async function warm(world: World): Promise<void> {
  await world.run(WARM_MS);
}

export async function opens(world: World, withinMs = OPEN_MS): Promise<number> {
  return world.until('all are open', withinMs, () => isOpen(world));
}

/** The last fault is over. */
export async function closes(world: World, withinMs = CLOSED_MS): Promise<number> {
  const took = await world.until('all are closed', withinMs, () => isClosed(world) && recordIsClosed(world));
  await world.always('closed', 1_000, () => isClosed(world));
  return took;
}

/** Fails for all until the fleet has opened. */
export async function breakAll(world: World): Promise<void> {
  await warm(world);
  world.fail();
  await opens(world);
}
