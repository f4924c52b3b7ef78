import { breakAll, CLOSED_MS, closes, isClosed, isOpen, opens, warm } from '../bounds.ts';
import type { LinkQuality } from '../link.ts';
import { scenario } from '../scenario.ts';
import type { World } from '../world.ts';

/** An outage over links that are that bad, before, during and after it. */
async function outage(world: World, quality: Partial<LinkQuality>, withinMs: number): Promise<void> {
  world.links(quality);
  await warm(world);
  world.fail();
  await opens(world);
  await world.run(world.between(1_000, 6_000));
  world.heal();
  await closes(world, withinMs);
}

/** Messages are late, lost, or arrive twice; replicas are cut off. */
export const network = [
  scenario('every message arrives twice', { replicas: 5 }, (world) => outage(world, { twice: 1 }, CLOSED_MS)),
  scenario('every fifth message is lost', { replicas: 5 }, async (world) => {
    await outage(world, { loss: 0.2 }, 12_000);
  }),
  scenario('messages are late', { replicas: 5 }, (world) =>
    outage(world, { delayMs: [5, 24] }, CLOSED_MS + 500),
  ),
  scenario('replies come too late', { replicas: 5 }, async (world) => {
    await breakAll(world);
    world.links({ delayMs: [10, 60], twice: 0.2 });
    await world.run(world.between(2_000, 5_000));
    world.heal();
    await world.run(1_000);
    world.mendLinks();
    await closes(world);
  }),
  scenario('claims run, and their replies are lost', { replicas: 4 }, async (world) => {
    await breakAll(world);
    world.heal();
    world.links({ delayMs: [26, 40] });
    await world.run(world.between(700, 2_000));
    world.mendLinks();
    await closes(world, CLOSED_MS + 2_100);
  }),
  scenario('Redis is down for 300 ms when a verdict is told', { replicas: 4 }, async (world) => {
    await breakAll(world);
    const granted = world.watch.holders.length;
    world.heal();
    await world.until('leases are out', 4_000, () => world.watch.holders.length >= granted + 3);
    await world.run(world.between(200, 400));
    world.down(true);
    await world.run(300);
    world.down(false);
    await closes(world, 2_000);
  }),
  scenario(
    'evidence arrives after the outage that it tells of',
    { replicas: 5, settings: { circuit: { consecutiveFailures: 100, minimumCalls: 30, windowMs: 1_000 } } },
    async (world) => {
      await warm(world);
      world.fail();
      await world.run(300);
      world.links({ delayMs: [3_500, 4_500] });
      await world.run(700);
      world.mendLinks();
      await opens(world);
      world.heal();
      await closes(world);
      await world.run(5_000);
      if (world.watch.trips > 1) world.violate('old evidence has opened the fleet');
    },
  ),
  scenario('two replicas have missed an outage', { replicas: 5 }, async (world) => {
    await warm(world);
    const cut = world.replicas.slice(0, 2);
    const others = world.replicas.slice(2);
    world.links({ cut: true }, cut);
    world.fail();
    await world.until('the others are open', 5_000, () => others.every(({ state }) => state !== 'closed'));
    await world.run(world.between(0, 2_000));
    world.heal(others);
    await world.until('the others are closed', CLOSED_MS, () =>
      others.every(({ state }) => state === 'closed'),
    );
    await world.run(1_000);
    world.heal();
    world.mendLinks();
    const { trips } = world.watch;
    await world.always('closed for the others', 4_000, () => others.every(({ state }) => state === 'closed'));
    if (world.watch.trips > trips) world.violate('old evidence has opened the fleet');
    await closes(world);
  }),
  scenario('replicas come and go', { replicas: 5 }, async (world) => {
    await warm(world);
    world.fail();
    for (let times = 0; times < 12; times++) {
      const some = world.replicas.filter(() => world.random.next() < 0.3);
      world.links({ cut: true }, some);
      await world.run(world.between(100, 1_500));
      world.mendLinks();
      await world.run(world.between(0, 500));
    }
    await world.until('all are open', 8_000, () => isOpen(world));
    world.heal();
    await world.until('all are closed', 10_000, () => isClosed(world));
  }),
];
