import { breakAll, CLOSED_MS, closes, isClosed, opens, warm } from '../bounds.ts';
import { scenario } from '../scenario.ts';
import type { World } from '../world.ts';

/** A lease as long as it is where a probe may take a second. */
const LEASE_MS = 2_100;

async function nextHolder(world: World) {
  const granted = world.watch.holders.length;
  await world.until('a lease is out', 6_000, () => world.watch.holders.length > granted);
  return world.replica(world.watch.holders.at(-1) as number);
}

function onlyCaller(world: World, everyMs: number): void {
  for (const replica of world.replicas) replica.callsPerSecond = 0;
  world.replica(0).callEvery = everyMs;
}

/** Who tries an open circuit, and what becomes of those who do. */
export const probes = [
  scenario('one caller among idle replicas', { replicas: 5 }, async (world) => {
    await breakAll(world);
    onlyCaller(world, 100);
    world.heal();
    await closes(world);
  }),
  scenario('a call every eight seconds', { replicas: 4 }, async (world) => {
    await breakAll(world);
    onlyCaller(world, 8_000);
    world.heal();
    await closes(world, 4 * 8_000 + CLOSED_MS);
  }),
  scenario('a call a minute', { replicas: 2 }, async (world) => {
    await breakAll(world);
    onlyCaller(world, 60_000);
    world.heal();
    await closes(world, 4 * 60_000 + CLOSED_MS);
  }),
  scenario('probers are killed', { replicas: 6 }, async (world) => {
    await breakAll(world);
    const killed = world.watch.holders.length;
    world.heal();
    for (let next = killed; next < killed + 3; next++) {
      await world.until('a lease is out', 6_000, () => world.watch.holders.length > next);
      world.replica(world.watch.holders[next] as number).kill();
    }
    await closes(world, CLOSED_MS + LEASE_MS);
  }),
  scenario('a prober is frozen past its lease', { replicas: 4 }, async (world) => {
    await breakAll(world);
    world.heal();
    for (let times = 0; times < 2; times++) {
      const holder = await nextHolder(world);
      holder.freeze();
      await world.run(world.between(1_000, 4_000));
      holder.thaw();
      await world.run(500);
      if (times === 0) world.fail();
      await opens(world);
    }
    world.heal();
    await closes(world, CLOSED_MS + LEASE_MS);
  }),
  scenario('all probers are frozen past their leases', { replicas: 3 }, async (world) => {
    await breakAll(world);
    await nextHolder(world);
    await world.run(world.between(0, 300));
    for (const replica of world.replicas) replica.freeze();
    await world.run(world.between(1_000, 5_000));
    for (const replica of world.replicas) replica.thaw();
    world.heal();
    await closes(world, CLOSED_MS + LEASE_MS);
  }),
  scenario('probes take nearly as long as they may', { replicas: 4 }, async (world) => {
    await breakAll(world);
    for (const replica of world.replicas) replica.latencyMs = [700, 990];
    world.heal();
    await closes(world, CLOSED_MS + 1_000);
  }),
  scenario('probes have no answer', { replicas: 4 }, async (world) => {
    await breakAll(world);
    for (const replica of world.replicas) replica.latencyMs = [5_000, 9_000];
    await world.run(world.between(4_000, 9_000));
    for (const replica of world.replicas) replica.latencyMs = [5, 40];
    world.heal();
    await closes(world, CLOSED_MS + 4 * LEASE_MS);
  }),
  scenario(
    'the upstream fails every third probe',
    { replicas: 5, settings: { circuit: { probes: 9 } } },
    async (world) => {
      await breakAll(world);
      world.fail(1 / 3);
      await world.until('all are closed', 20_000, () => isClosed(world));
      world.heal();
      await closes(world);
    },
  ),
  scenario('a lone replica', { replicas: 1 }, async (world) => {
    await warm(world);
    world.fail();
    await opens(world);
    await world.run(world.between(0, 4_000));
    world.heal();
    await closes(world);
  }),
];
