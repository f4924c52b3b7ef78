import { CLOSED_MS, closes, warm } from '../bounds.ts';
import { scenario } from '../scenario.ts';
import type { World } from '../world.ts';

/** Until connections are there again, and leases over that nobody knows of any more. */
const SETTLED_MS = 5_500 + 2_100;
const STEPS = 12;

type Fault = (world: World) => Promise<void>;

const shortly = (world: World) => world.run(world.between(20, 1_200));

const upstream: readonly Fault[] = [
  async (world) => world.fail(),
  async (world) =>
    world.fail(
      world.random.next(),
      world.replicas.filter(() => world.random.next() < 0.5),
    ),
  async (world) => world.heal(),
];

const replicas: readonly Fault[] = [
  async (world) => {
    const frozen = world.pick(world.replicas);
    frozen.freeze();
    await world.run(world.between(50, 4_000));
    frozen.thaw();
  },
  async (world) => {
    world.links(
      { cut: true },
      world.replicas.filter(() => world.random.next() < 0.4),
    );
    await shortly(world);
    world.mendLinks();
  },
  async (world) => world.links({ loss: 0.1, twice: 0.3, delayMs: [1, 22] }),
  async (world) => world.links({ delayMs: [300, 3_000] }, [world.pick(world.replicas)]),
  async (world) => world.mendLinks(),
];

const redis: readonly Fault[] = [
  (world) => world.flush(),
  async (world) => {
    const copy = await world.copy();
    await shortly(world);
    copy.skewMs = world.pick([0, 0, 60_000, -60_000, 3_600_000, -3_600_000]);
    world.failover(copy, world.between(0, 1_000));
  },
  async (world) => {
    world.down(true);
    await world.run(world.between(100, 3_000));
    world.down(false);
  },
  async (world) => {
    world.primary.readOnly = true;
    await world.run(world.between(100, 3_000));
    world.primary.readOnly = false;
  },
  async (world) => {
    world.primary.freeze();
    await world.run(world.between(20, 2_500));
    world.primary.thaw();
  },
  async (world) => {
    world.primary.skewMs += world.pick([1_000, -1_000, 3_600_000, -3_600_000]);
  },
];

async function storm(world: World, faults: readonly Fault[]): Promise<void> {
  await warm(world);
  for (let step = 0; step < STEPS; step++) {
    await world.pick(faults)(world);
    await shortly(world);
  }
  world.mendLinks();
  world.heal();
  // What has begun may yet fail, and open something.
  await world.run(1_000);
  await closes(world, CLOSED_MS + SETTLED_MS);
}

/** One trouble after the other, by chance; what must never be is never. */
export const storms = [
  scenario('anything happens to Redis', { replicas: 4 }, (world) => storm(world, [...upstream, ...redis])),
  scenario('anything happens to replicas', { replicas: 5 }, (world) =>
    storm(world, [...upstream, ...replicas]),
  ),
  scenario('anything happens', { replicas: 4 }, (world) =>
    storm(world, [...upstream, ...replicas, ...redis]),
  ),
];
