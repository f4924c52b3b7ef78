import { breakAll, CLOSED_MS, closes, isClosed, isOpen, opens, warm } from '../bounds.ts';
import type { Replica } from '../replica.ts';
import { scenario } from '../scenario.ts';
import type { World } from '../world.ts';

/** Every other call fails. */
function failInTurn(replica: Replica): void {
  let calls = 0;
  replica.fails = () => ++calls % 2 === 0;
}

/** Some replicas have trouble that the others have not. */
async function staysClosed(world: World, bad: number, forMs: number): Promise<void> {
  const good = world.replicas.slice(bad);
  await world.always('closed for the others', forMs, () => good.every(({ state }) => state === 'closed'));
  if (world.watch.trips > 0) world.violate('the fleet has opened');
}

/** What opens a fleet, and what must not. */
export const evidence = [
  scenario(
    'three of twelve are called, and all calls fail',
    { replicas: 12, callsPerSecond: (replica) => (replica < 3 ? 10 : 0) },
    async (world) => {
      await warm(world);
      world.fail();
      await opens(world);
      const [newcomer] = world.replicas.slice(-1);
      await world.run(world.between(50, 500));
      newcomer?.call();
      if (newcomer?.state === 'closed') world.violate('its first call finds the circuit closed');
      world.heal();
      await closes(world);
    },
  ),
  scenario(
    'replicas fail one after the other, further apart than a window',
    { replicas: 4, settings: { circuit: { windowMs: 2_000 } } },
    async (world) => {
      await warm(world);
      for (const replica of world.replicas) {
        world.fail(1, [replica]);
        await world.run(2_500);
      }
      await world.until('the fleet is open', 1_000, () => world.watch.trips > 0 && isOpen(world));
      world.heal();
      await closes(world);
    },
  ),
  scenario(
    'two locally open replicas of four, further apart than a window, are half of them',
    { replicas: 4, settings: { circuit: { windowMs: 2_000 } } },
    async (world) => {
      await warm(world);
      world.fail(0.7, [world.replica(0)]);
      await world.run(world.between(4_000, 5_000));
      world.fail(0.7, [world.replica(1)]);
      await world.until('the fleet is open', 12_000, () => world.watch.trips > 0);
    },
  ),
  scenario('four of five are exactly at the threshold', { replicas: 5 }, async (world) => {
    for (const replica of world.replicas.slice(0, 4)) failInTurn(replica);
    await world.until('the fleet is open', 14_000, () => world.watch.trips > 0);
  }),
  scenario(
    'evidence that ages out soon',
    { replicas: 5, callsPerSecond: 3, settings: { circuit: { windowMs: 2_500 } } },
    async (world) => {
      await warm(world);
      world.fail();
      await opens(world, 6_000);
      world.heal();
      await closes(world);
    },
  ),
  scenario(
    'failures in a row open what is full of successes',
    { replicas: 4, callsPerSecond: 30 },
    async (world) => {
      await world.run(9_000);
      world.fail();
      await opens(world, 1_500);
    },
  ),
  scenario('two bad replicas of five', { replicas: 5 }, async (world) => {
    await warm(world);
    world.fail(1, world.replicas.slice(0, 2));
    await staysClosed(world, 2, 12_000);
  }),
  scenario('one bad replica of three', { replicas: 3 }, async (world) => {
    await warm(world);
    world.fail(1, world.replicas.slice(0, 1));
    await staysClosed(world, 1, 12_000);
  }),
  scenario(
    'one bad replica with thirty times the traffic, and noise',
    {
      replicas: 5,
      callsPerSecond: (replica) => (replica === 0 ? 15 : 0.5),
      settings: { circuit: { consecutiveFailures: 100 } },
    },
    async (world) => {
      await world.run(200);
      world.fail(0.05, world.replicas.slice(1));
      world.fail(1, world.replicas.slice(0, 1));
      await staysClosed(world, 1, 10_000);
    },
  ),
  scenario('one bad replica, and Redis is emptied', { replicas: 5 }, async (world) => {
    await warm(world);
    world.fail(0.05, world.replicas.slice(1));
    world.fail(1, world.replicas.slice(0, 1));
    for (let times = 0; times < 10; times++) {
      await staysClosed(world, 1, world.between(200, 1_500));
      await world.flush();
    }
  }),
  scenario('a bad replica is started anew again and again', { replicas: 3 }, async (world) => {
    await warm(world);
    const good = world.replicas.slice(1);
    let bad = world.replica(0);
    world.fail(1, [bad]);
    for (let lives = 0; lives < 5; lives++) {
      await world.run(world.between(1_000, 5_000));
      bad.kill();
      await world.run(world.between(50, 500));
      bad = world.join();
      world.fail(1, [bad]);
    }
    await world.run(6_000);
    if (world.watch.trips > 0) world.violate('the fleet has opened');
    if (good.some(({ state }) => state !== 'closed')) world.violate('another is not closed');
  }),
  scenario('one bad replica takes part in the probes', { replicas: 5 }, async (world) => {
    await breakAll(world);
    world.heal(world.replicas.slice(1));
    const good = () => world.replicas.slice(1).every(({ state }) => state === 'closed');
    await world.until('closed for the others', 5_700, good);
    await world.run(1_000);
    await world.until('closed for the others', 1_000, good);
  }),
  scenario(
    'the bad replica has most of the calls when it is tried',
    { replicas: 3, callsPerSecond: (replica) => (replica === 0 ? 10 : 1.5) },
    async (world) => {
      await warm(world);
      world.fail();
      await opens(world, 9_000);
      world.heal(world.replicas.slice(1));
      const good = () => world.replicas.slice(1).every(({ state }) => state === 'closed');
      await world.until('closed for the others', CLOSED_MS + 20_000, good);
    },
  ),
  scenario('a failing share that is not enough', { replicas: 4 }, async (world) => {
    await warm(world);
    world.fail(0.25);
    await world.always('closed', 12_000, () => isClosed(world));
  }),
];
