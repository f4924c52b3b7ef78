import { breakAll, CLOSED_MS, closes, isClosed, isOpen, warm } from '../bounds.ts';
import { scenario } from '../scenario.ts';
import type { World } from '../world.ts';

/** Until a store counts as away. */
const AWAY_MS = 1_200;
/** Until a connection is there again, however often it was tried in vain. */
const RECONNECTED_MS = 5_500;

async function localClose(world: World): Promise<void> {
  world.heal();
  await world.until('all are closed', CLOSED_MS + AWAY_MS, () => isClosed(world));
}

/** Redis itself has trouble: each replica heals alone, and the record follows. */
export const away = [
  scenario('Redis becomes read-only while open', { replicas: 4 }, async (world) => {
    await breakAll(world);
    world.primary.readOnly = true;
    await world.run(world.between(0, 4_000));
    await localClose(world);
    world.primary.readOnly = false;
    await closes(world, RECONNECTED_MS);
  }),
  scenario('Redis is down while open', { replicas: 4 }, async (world) => {
    await breakAll(world);
    world.down(true);
    await world.run(world.between(0, 4_000));
    await localClose(world);
    world.down(false);
    await closes(world, RECONNECTED_MS + CLOSED_MS);
  }),
  scenario('Redis is down before the upstream fails, and after', { replicas: 4 }, async (world) => {
    await warm(world);
    world.down(true);
    await world.run(world.between(0, 3_000));
    world.fail();
    await world.until('all are open', 8_000, () => isOpen(world));
    await world.run(world.between(0, 3_000));
    await localClose(world);
    world.down(false);
    await world.always('closed', RECONNECTED_MS, () => isClosed(world));
  }),
  scenario('Redis is frozen for longer than the upstream fails', { replicas: 4 }, async (world) => {
    await breakAll(world);
    world.primary.freeze();
    await world.run(world.between(0, 3_000));
    await localClose(world);
    await world.run(world.between(0, 2_000));
    world.primary.thaw();
    await closes(world, RECONNECTED_MS + CLOSED_MS);
  }),
  scenario('what has closed without Redis stays closed when it is back', { replicas: 3 }, async (world) => {
    await breakAll(world);
    await world.run(world.between(0, 4_000));
    const isFrozen = world.between(0, 1) < 0.5;
    if (isFrozen) world.primary.freeze();
    else world.down(true);
    await world.run(world.between(0, 1_500));
    await localClose(world);
    await world.run(world.between(0, 8_000));
    if (isFrozen) world.primary.thaw();
    else if (world.between(0, 1) < 0.5) await world.flush();
    world.down(false);
    await world.always('closed', RECONNECTED_MS + CLOSED_MS, () => isClosed(world));
    await closes(world, 1_000);
  }),
  scenario('Redis is frozen for a moment', { replicas: 4 }, async (world) => {
    await breakAll(world);
    for (let times = 0; times < 4; times++) {
      await world.run(world.between(100, 900));
      world.primary.freeze();
      await world.run(world.between(50, 900));
      world.primary.thaw();
    }
    world.heal();
    await closes(world, RECONNECTED_MS + CLOSED_MS);
  }),
  scenario('Redis is away, then back while the upstream still fails', { replicas: 4 }, async (world) => {
    await breakAll(world);
    world.down(true);
    await world.run(world.between(1_500, 5_000));
    world.down(false);
    await world.run(RECONNECTED_MS);
    await world.always('not closed', 3_000, () => isOpen(world));
    world.heal();
    await closes(world);
  }),
];
