import { breakAll, closes, isClosed, isOpen, warm } from '../bounds.ts';
import { NAME, SERVICE } from '../replica.ts';
import { scenario } from '../scenario.ts';

const STREAM = `{healix:v1:${SERVICE}}:s`;

/** Replicas come and go, and what is not theirs comes in between. */
export const members = [
  scenario('a replica joins while open', { replicas: 3 }, async (world) => {
    await breakAll(world);
    await world.run(world.between(0, 3_000));
    const late = world.join();
    late.fails = () => true;
    await world.run(300);
    late.call();
    if (late.state === 'closed') world.violate('its first call finds the circuit closed');
    await world.always('not closed', 2_000, () => isOpen(world));
    world.heal();
    await closes(world);
  }),
  scenario('replicas are replaced one after the other', { replicas: 4 }, async (world) => {
    await breakAll(world);
    for (const old of [...world.replicas]) {
      world.join().fails = () => true;
      await world.run(world.between(100, 800));
      await world.finish(old.leave());
      await world.run(world.between(100, 800));
    }
    await world.always('not closed', 1_000, () => isOpen(world));
    world.heal();
    await closes(world);
  }),
  scenario('probers leave', { replicas: 5 }, async (world) => {
    await breakAll(world);
    world.heal();
    for (let times = 0; times < 2; times++) {
      const granted = world.watch.holders.length;
      await world.until(
        'a lease is out',
        6_000,
        () => world.watch.holders.length > granted || isClosed(world),
      );
      if (isClosed(world)) break;
      await world.finish(world.replica(world.watch.holders.at(-1) as number).leave());
    }
    await closes(world, 7_000);
  }),
  scenario('the fleet is reduced to one', { replicas: 3 }, async (world) => {
    await warm(world);
    world.replica(1).kill();
    await world.finish(world.replica(2).leave());
    await world.run(16_000);
    world.fail();
    await world.until('the fleet is open', 4_000, () => isOpen(world));
    world.heal();
    await closes(world);
  }),
  scenario('the stream tells what cannot be', { replicas: 4 }, async (world) => {
    await breakAll(world);
    world.heal();
    await closes(world);
    const view = {
      target: NAME,
      ep: 1_000_000,
      eid: 'nobodys',
      st: 'open',
      rem: 2_000,
      dur: 2_000,
      n: 1,
      f: '',
      fv: 0,
      ftok: '',
      rep: 0,
    };
    await world.primary.inject(STREAM, JSON.stringify({ views: [view] }));
    await world.primary.inject(STREAM, 'no entry');
    await world.always('closed', 3_000, () => isClosed(world));
    await world.always('not led astray', 100, () => Number(world.record?.ep) < 1_000);
  }),
];
