import { breakAll, closes, isClosed, isOpen, warm } from '../bounds.ts';
import type { Replica } from '../replica.ts';
import { scenario } from '../scenario.ts';
import type { World } from '../world.ts';

type Decision = 'open' | 'closed' | null;

/** Heartbeats are so far apart where nothing is known to be unsettled. */
const HEARD_MS = 6_000;

async function decide(world: World, replica: Replica, decision: Decision) {
  const result = await world.finish(replica.target.force(decision));
  replica.tell(`a person says ${decision}: ${JSON.stringify(result)}`);
  return result;
}

async function holds(world: World, decision: Decision, withinMs = HEARD_MS): Promise<void> {
  const agrees = () => world.living.every(({ target }) => target.breaker.forced === decision);
  await world.until(`all are forced ${decision}`, withinMs, agrees);
  await world.always(`forced ${decision}`, HEARD_MS, agrees);
  if (world.record?.f !== (decision ?? '')) world.violate(`the record is forced ${world.record?.f}`);
}

/** A person's word. */
export const decisions = [
  scenario('a person forces, and takes it back elsewhere', { replicas: 4 }, async (world) => {
    await warm(world);
    await decide(world, world.pick(world.replicas), 'open');
    await holds(world, 'open', 300);
    await decide(world, world.pick(world.replicas), null);
    await holds(world, null, 300);
    await closes(world);
  }),
  scenario('a person forces closed what fails', { replicas: 4 }, async (world) => {
    await breakAll(world);
    await decide(world, world.pick(world.replicas), 'closed');
    await world.until('closed', 300, () => isClosed(world));
    await world.always('closed', 3_000, () => isClosed(world));
    await decide(world, world.pick(world.replicas), null);
    await world.until('open', 5_000, () => isOpen(world));
    world.heal();
    await closes(world);
  }),
  scenario('two people decide while one is cut off', { replicas: 4 }, async (world) => {
    await warm(world);
    const [one, other] = [world.replica(0), world.replica(1)];
    await decide(world, one, 'open');
    world.links({ cut: true }, [one]);
    await world.run(world.between(0, 1_000));
    await decide(world, other, null);
    await decide(world, other, 'closed');
    await decide(world, one, null);
    world.mendLinks();
    await holds(world, 'closed', 10_000);
  }),
  scenario('a person takes back a decision where Redis cannot be reached', { replicas: 4 }, async (world) => {
    await warm(world);
    const [one, other] = [world.replica(0), world.replica(1)];
    await decide(world, other, 'open');
    await holds(world, 'open', 300);
    world.links({ cut: true }, [one]);
    await world.run(world.between(0, 3_000));
    const { scope } = await decide(world, one, null);
    if (scope !== 'process') world.violate(`told that it holds for the ${scope}`);
    await world.run(world.between(0, 3_000));
    world.mendLinks();
    await holds(world, null, 10_000);
    await closes(world);
  }),
  scenario('two people decide at once', { replicas: 4 }, async (world) => {
    await warm(world);
    const [first, second] = [world.replica(0).target.force('open'), world.replica(1).target.force('closed')];
    const results = [await world.finish(first), await world.finish(second)];
    const accepted = results.filter(({ conflict }) => conflict === undefined);
    if (accepted.length !== 1) world.violate(`${accepted.length} decisions were accepted`);
    await holds(world, results[0]?.conflict === undefined ? 'open' : 'closed', 500);
  }),
  scenario('a decision outlives FLUSHALL', { replicas: 4 }, async (world) => {
    await warm(world);
    const decision = world.pick(['open', 'closed'] as const);
    await decide(world, world.pick(world.replicas), decision);
    await world.run(world.between(20, 1_000));
    await world.flush();
    await holds(world, decision, 10_000);
    await world.flush();
    await world.run(world.between(0, 400));
    await decide(world, world.pick(world.replicas), null);
    await holds(world, null, 10_000);
  }),
  scenario('a failover loses a decision', { replicas: 4 }, async (world) => {
    await breakAll(world);
    await decide(world, world.replica(0), 'closed');
    await world.run(world.between(20, 1_000));
    const copy = await world.copy();
    await decide(world, world.replica(1), null);
    await decide(world, world.replica(2), 'open');
    await world.run(world.between(20, 300));
    world.failover(copy);
    await holds(world, 'open', 10_000);
  }),
  scenario('a failover loses that a decision was taken back', { replicas: 4 }, async (world) => {
    await warm(world);
    await decide(world, world.replica(0), 'open');
    await world.run(world.between(20, 1_000));
    const copy = await world.copy();
    await decide(world, world.replica(1), null);
    await world.run(world.between(20, 300));
    world.failover(copy);
    await holds(world, null, 10_000);
    await closes(world);
  }),
  scenario('every message of a decision arrives twice', { replicas: 4 }, async (world) => {
    await warm(world);
    world.links({ twice: 1, delayMs: [1, 20] });
    let last: Decision = null;
    for (let times = 0; times < 5; times++) {
      const decision: Decision = world.pick(['open', 'closed', null]);
      await world.run(world.between(0, 400));
      const { scope, conflict } = await decide(world, world.pick(world.replicas), decision);
      if (scope === 'fleet') last = conflict === undefined ? decision : conflict.state;
    }
    await holds(world, last, 10_000);
  }),
];
