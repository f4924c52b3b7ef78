import { breakAll, closes, isOpen, opens, warm } from '../bounds.ts';
import { scenario } from '../scenario.ts';
import type { World } from '../world.ts';

const HOUR_MS = 3_600_000;

/** A failover to a copy that is so old. */
async function loseLast(world: World, ms: number, skewMs = 0): Promise<void> {
  const copy = await world.copy();
  await world.run(ms);
  copy.skewMs = skewMs;
  world.failover(copy);
}

async function clockJumps(world: World, skewMs: number): Promise<void> {
  await breakAll(world);
  await loseLast(world, world.between(0, 1_500), skewMs);
  await world.run(world.between(0, 3_000));
  world.heal();
  await closes(world);
  world.fail();
  await opens(world);
}

/** Failovers: what was written after the copy was made is lost. */
export const lostWrites = [
  scenario('a failover loses the trip', { replicas: 5 }, async (world) => {
    await warm(world);
    world.fail();
    await world.run(world.between(100, 350));
    const copy = await world.copy();
    await opens(world);
    await world.run(world.between(0, 1_500));
    world.failover(copy);
    await world.run(100);
    await world.always('not closed', 4_000, () => isOpen(world));
    world.heal();
    await closes(world);
  }),
  scenario('a failover loses the trip, and old verdicts arrive', { replicas: 5 }, async (world) => {
    await warm(world);
    const copy = await world.copy();
    world.fail();
    await opens(world);
    for (const replica of world.replicas) replica.latencyMs = [300, 900];
    world.heal();
    const granted = world.watch.holders.length;
    await world.until('all leases are out', 4_000, () => world.watch.holders.length >= granted + 3);
    await world.run(world.between(200, 500));
    world.failover(copy, 300);
    await closes(world);
  }),
  scenario('a failover loses leases', { replicas: 5 }, async (world) => {
    await breakAll(world);
    const copy = await world.copy();
    const granted = world.watch.holders.length;
    await world.until('a lease is out', 4_000, () => world.watch.holders.length > granted);
    await world.run(world.between(0, 300));
    world.failover(copy);
    await world.run(world.between(0, 2_000));
    world.heal();
    await closes(world);
  }),
  scenario('failover after failover', { replicas: 4 }, async (world) => {
    await breakAll(world);
    for (let times = 0; times < 5; times++) {
      await loseLast(world, world.between(50, 800));
      await world.run(world.between(0, 800));
    }
    world.heal();
    await closes(world);
  }),
  scenario('half of the replicas stay with the old primary for a while', { replicas: 6 }, async (world) => {
    await breakAll(world);
    const copy = await world.copy();
    world.failover(copy, world.between(500, 2_500));
    await world.run(world.between(0, 2_500));
    world.heal();
    await world.run(2_500);
    await closes(world);
  }),
  scenario('the clock is an hour ahead after a failover', { replicas: 4 }, (world) =>
    clockJumps(world, HOUR_MS),
  ),
  scenario('the clock is an hour back after a failover', { replicas: 4 }, (world) =>
    clockJumps(world, -HOUR_MS),
  ),
  scenario('the clock jumps back and forth under reports', { replicas: 4 }, async (world) => {
    await warm(world);
    world.fail(0.3);
    await world.run(1_500);
    world.primary.skewMs = world.pick([HOUR_MS, -HOUR_MS]);
    await world.run(1_000);
    world.primary.skewMs = 0;
    world.fail();
    await opens(world);
    world.primary.skewMs = world.pick([HOUR_MS, -HOUR_MS]);
    world.heal();
    await closes(world);
  }),
];
