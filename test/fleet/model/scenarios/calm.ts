import { breakAll, closes, isClosed, warm } from '../bounds.ts';
import { scenario } from '../scenario.ts';

/** What must work where nothing is wrong but the upstream. */
export const calm = [
  scenario('an upstream that fails and comes back', { replicas: 5 }, async (world) => {
    await breakAll(world);
    await world.run(world.between(0, 6_000));
    world.heal();
    await closes(world);
  }),
  scenario('a healthy upstream with a little noise', { replicas: 5 }, async (world) => {
    await warm(world);
    world.fail(0.05);
    await world.always('closed', 15_000, () => isClosed(world));
  }),
];
