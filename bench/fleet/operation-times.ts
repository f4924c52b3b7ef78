import { claim, seed, verdict } from '../../packages/core/src/store/conformance/inputs.ts';
import type { FleetView } from '../../packages/core/src/store/store.ts';
import type { ScriptTimer } from './script-timer.ts';
import { decide, prime } from './trips.ts';

const MOST_TARGETS_A_CALL = 10;
const MANY_TARGETS = 100;

/** All operations but the reports that decide nothing. */
export async function timeOperations(timer: ScriptTimer, members: number): Promise<void> {
  await timeTrips(timer);
  await timeProbes(timer);
  await timeSeeds(timer);
  await timeHeartbeats(timer, members);
  await timeSnapshots(timer);
}

async function timeTrips(timer: ScriptTimer): Promise<void> {
  const store = await timer.store('trips');
  for (const count of [1, MOST_TARGETS_A_CALL]) {
    for (let i = 0; i < timer.repetitions; i++) {
      const primed = await prime(store, namesOf(count, `tripped-${i}`));
      await timer.note(`report that opens ${count} targets`, () => decide(store, primed));
    }
  }
}

async function timeProbes(timer: ScriptTimer): Promise<void> {
  const store = await timer.store('probes');
  for (let i = 0; i < timer.repetitions; i++) {
    const name = `probed-${i}`;
    const [view] = (await store.seed('replica-0', [seed({ target: name, remainingMs: 100 })])) as [FleetView];
    for (const probe of [0, 1, 2]) {
      await timer.note('claim', () => store.claim(`replica-${probe}`, claim(view, `${name}-${probe}`)));
    }
    await timer.note('renew', () => store.renew('replica-0', claim(view, `${name}-0`)));
    await timer.note('settle', () => store.settle('replica-0', verdict(view, `${name}-0`, 'ok')));
    await timer.note('settle that closes', () => store.settle('replica-1', verdict(view, `${name}-1`, 'ok')));
  }
}

async function timeSeeds(timer: ScriptTimer): Promise<void> {
  const store = await timer.store('seeds');
  for (const count of [1, MOST_TARGETS_A_CALL]) {
    for (let i = 0; i < timer.repetitions; i++) {
      const seeds = namesOf(count, `seeded-${i}`).map((target) => seed({ target }));
      await timer.note(`seed of ${count} targets`, () => store.seed('replica-0', seeds));
    }
  }
}

async function timeHeartbeats(timer: ScriptTimer, members: number): Promise<void> {
  const store = await timer.store('heartbeats');
  for (let i = 0; i < members; i++) await store.heartbeat(`replica-${i}`);
  const beat = (name: string) => timer.note(name, () => store.heartbeat('replica-0'));
  for (let i = 0; i < timer.repetitions; i++) await beat(`heartbeat, ${members} members`);
  await store.seed(
    'replica-0',
    namesOf(MANY_TARGETS, 'open').map((target) => seed({ target })),
  );
  for (let i = 0; i < timer.repetitions; i++) {
    await beat(`heartbeat, ${members} members and ${MANY_TARGETS} open targets`);
  }
}

async function timeSnapshots(timer: ScriptTimer): Promise<void> {
  const store = await timer.store('snapshots');
  const names = namesOf(MANY_TARGETS, 'known');
  await store.seed(
    'replica-0',
    names.map((target) => seed({ target })),
  );
  for (let i = 0; i < timer.repetitions; i++) {
    await timer.note(`snapshot of ${names.length} open targets`, () => store.snapshot(names));
  }
}

function namesOf(count: number, prefix: string): string[] {
  return Array.from({ length: count }, (_, at) => `${prefix}-${count}-${at}`);
}
