import { breakAll, closes, isClosed, isOpen, opens, warm } from '../bounds.ts';
import { scenario } from '../scenario.ts';

/** FLUSHALL, at the worst moments. */
export const emptied = [
  scenario('emptied again and again while open', { replicas: 5 }, async (world) => {
    await breakAll(world);
    const end = world.clock.now() + 6_000;
    while (world.clock.now() < end) {
      await world.run(world.between(150, 900));
      await world.flush();
    }
    await world.always('not closed', 1_000, () => isOpen(world));
    world.heal();
    await closes(world);
  }),
  scenario('emptied while open, and who has missed the trip speaks first', { replicas: 5 }, async (world) => {
    await warm(world);
    const laggard = world.pick(world.replicas);
    world.fail();
    await world.run(world.between(0, 250));
    laggard.freeze();
    await opens(world);
    await world.run(world.between(0, 600));
    const others = world.living;
    world.links({ delayMs: [20, 24] }, others);
    await world.flush();
    laggard.thaw();
    await world.run(world.between(1, 100));
    world.mendLinks();
    await world.run(1_000);
    await world.always('not closed', 2_000, () => isOpen(world));
    world.heal();
    await closes(world);
  }),
  scenario('emptied, and one bad replica speaks first', { replicas: 4 }, async (world) => {
    const [bad, ...good] = world.replicas;
    await world.run(12_000);
    world.fail(1, [bad!]);
    for (let times = 0; times < 3; times++) {
      await world.flush();
      await world.always('closed for the others', 4_000, () => good.every(({ state }) => state === 'closed'));
    }
  }),
  scenario('emptied while probes are under way', { replicas: 5 }, async (world) => {
    await breakAll(world);
    for (let times = 0; times < 4; times++) {
      const granted = world.watch.holders.length;
      await world.until('a lease is out', 4_000, () => world.watch.holders.length > granted);
      await world.run(world.between(0, 400));
      await world.flush();
      if (times === 2) world.heal();
    }
    await closes(world);
  }),
  scenario('emptied while closed, with one failing call in twenty', { replicas: 5 }, async (world) => {
    await warm(world);
    world.fail(0.05);
    for (let times = 0; times < 10; times++) {
      await world.always('closed', world.between(200, 1_500), () => isClosed(world));
      await world.flush();
    }
  }),
  scenario('readers are ahead of the stream', { replicas: 5 }, async (world) => {
    await breakAll(world);
    world.heal();
    await closes(world);
    world.primary.skewMs = -3_600_000;
    await world.flush();
    await world.run(6_000);
    world.fail(1, world.replicas.slice(0, 4));
    await world.until('one is open', 4_000, () => world.living.some(({ state }) => state !== 'closed'));
    await world.until('all are open', 300, () => isOpen(world));
    world.heal();
    await closes(world);
  }),
];
