import { describe, expect, test } from 'vitest';
import { pause } from '../../conformance/harness/wait.ts';
import { type Lab, PATIENCE_MS, PROBES, startLoaded, useLab } from '../harness/lab.ts';
import { isClosed, isConnected, isNotClosed, type Replica } from '../harness/replicas.ts';

const REPLICAS = 5;
const CALLS_PER_SECOND = 10;
/** `2 × probeTimeoutMs` and the margin, once it has doubled. */
const LONGEST_LEASE_MS = 4_100;
/** Epochs that may pass between an upstream's recovery and the fleet's: those that were tried too early, or by nobody. */
const EPOCHS_TO_CLOSE = 6;

const lab = useLab();

async function failAll({ fleet, stored, upstream }: Lab): Promise<void> {
  upstream.status = 503;
  while (!(await stored.isOpen())) await pause(20);
  await fleet.become('open', isNotClosed);
}

/** Counts what the upstream gets while the circuit is open for all, and the epochs that it was for. */
async function countProbes({ stored, upstream }: Lab): Promise<() => Promise<void>> {
  const firstEpoch = await stored.epoch();
  const before = upstream.requests;
  return async () => {
    const sent = upstream.requests - before;
    const epochs = (await stored.epoch()) - firstEpoch + 1;
    expect(sent).toBeLessThanOrEqual(PROBES * epochs);
  };
}

async function closesSoon({ fleet, stored }: Lab, who = fleet.all): Promise<void> {
  const before = await stored.epoch();
  await fleet.become('closed', isClosed, who);
  expect((await stored.epoch()) - before).toBeLessThanOrEqual(EPOCHS_TO_CLOSE);
}

/** Those of `fleet` that hold a lease, once somebody does and the upstream has their probes. */
async function findProbers({ fleet, stored, upstream }: Lab): Promise<Replica[]> {
  const before = upstream.requests;
  while (upstream.requests === before) await pause(20);
  const holders = await stored.probers();
  const names = await fleet.each(async (replica) => (await replica.status()).fleet?.replica);
  return fleet.all.filter((_, i) => holders.includes(names[i] as string));
}

/** The upstream answers no more. @returns who has a probe there, and a check of how many probes there were since */
async function hangProbers(lab: Lab): Promise<{ probers: Replica[]; check: () => Promise<void> }> {
  lab.upstream.hang(true);
  const check = await countProbes(lab);
  const probers = (await findProbers(lab)).slice(0, REPLICAS - 1);
  expect(probers.length).toBeGreaterThan(0);
  return { probers, check };
}

test(
  'what fails for all opens for all, is tried by a few probes, and closes for all',
  async () => {
    await startLoaded(lab, REPLICAS, CALLS_PER_SECOND);
    await failAll(lab);
    const check = await countProbes(lab);
    const before = await lab.stored.epoch();
    while ((await lab.stored.epoch()) < before + 3) await pause(100);
    await check();
    lab.upstream.status = 200;
    await closesSoon(lab);
  },
  PATIENCE_MS,
);

describe('a replica whose probes always fail holds nobody up', () => {
  test.each([3, 5, 20])(
    'one of %i',
    async (replicas) => {
      const { fleet, broken, upstream } = lab;
      upstream.status = 503;
      const good = await fleet.start(replicas - 1);
      const [bad] = (await fleet.start(1, { upstream: broken.url })) as [Replica];
      await fleet.become('connected', isConnected);
      await fleet.each((replica) => replica.load(5));
      await fleet.become('open', isNotClosed);
      upstream.status = 200;
      await closesSoon(lab, good);
      // It has no part in what the others believe; its own circuit is its own affair.
      await fleet.become('open by itself', isNotClosed, [bad]);
      await fleet.become('closed', isClosed, good);
    },
    PATIENCE_MS,
  );
});

test(
  'one caller among replicas that have become idle closes it for all',
  async () => {
    await startLoaded(lab, REPLICAS, CALLS_PER_SECOND);
    await failAll(lab);
    for (const replica of lab.fleet.all.slice(1)) await replica.load(0);
    lab.upstream.status = 200;
    await closesSoon(lab);
  },
  PATIENCE_MS,
);

test(
  'every replica that dies with a probe under way holds nobody up',
  async () => {
    const { fleet, upstream } = lab;
    await startLoaded(lab, REPLICAS, CALLS_PER_SECOND);
    await failAll(lab);
    const { probers: dead, check } = await hangProbers(lab);
    for (const replica of dead) {
      replica.signal('SIGKILL');
      fleet.all.splice(fleet.all.indexOf(replica), 1);
    }
    await check();
    upstream.status = 200;
    upstream.hang(false);
    await closesSoon(lab);
  },
  PATIENCE_MS,
);

test(
  'a prober that is frozen past its lease has no say when it goes on',
  async () => {
    const { fleet, upstream } = lab;
    await startLoaded(lab, REPLICAS, CALLS_PER_SECOND);
    await failAll(lab);
    const { probers: frozen, check } = await hangProbers(lab);
    for (const replica of frozen) replica.signal('SIGSTOP');
    await pause(LONGEST_LEASE_MS);
    await check();
    upstream.status = 200;
    upstream.hang(false);
    const others = fleet.all.filter((replica) => !frozen.includes(replica));
    await closesSoon(lab, others);
    await Promise.all(others.map((replica) => replica.moves()));
    for (const replica of frozen) replica.signal('SIGCONT');
    await fleet.become('closed', isClosed);
    for (const replica of others) expect(await replica.moves()).toEqual([]);
  },
  PATIENCE_MS,
);
