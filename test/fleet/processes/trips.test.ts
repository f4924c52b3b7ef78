import { describe, expect, test } from 'vitest';
import { pause } from '../../conformance/harness/wait.ts';
import { type Lab, PATIENCE_MS, startLoaded, useLab } from '../harness/lab.ts';
import { isClosed, isConnected, isNotClosed, type Replica } from '../harness/replicas.ts';

/** Failures in a row that open one process's circuit whatever the traffic: max(minimumCalls, 4 × consecutiveFailures). */
const ALONE = 20;
/** The longest that reports (100 ms), the ask, the 200 ms after it and the news of it take together, on busy cores. */
const TRIP_MS = 1_500;
/** So many successes in each window, more than what fails, come at so many calls a second in all. */
const WINDOW_FULL = 40;
const FILL_PER_SECOND = 80;

/** The news take milliseconds, and longer on busy cores. */
const HEARD_MS = 2_000;

const lab = useLab();

/** Fills each replica's window with successes, faster than it then goes on. */
async function fillWindows({ fleet }: Lab, perSecond: number): Promise<void> {
  await fleet.each((replica) => replica.load(FILL_PER_SECOND / fleet.all.length));
  await fleet.become('full of successes', ({ counts }) => counts.success >= WINDOW_FULL);
  await fleet.each((replica) => replica.load(perSecond));
  // Right after so many have started, some calls may come too late.
  let failed: number;
  do {
    await fleet.each((replica) => replica.tally());
    await pause(1_000);
    failed = (await fleet.each((replica) => replica.tally())).reduce((sum, tally) => sum + tally.failed, 0);
  } while (failed > 0);
  await fleet.become('closed', isClosed);
  await fleet.each((replica) => replica.moves());
}

/** Failures of all replicas until the last of them was open. */
async function failuresUntilOpen({ fleet, upstream }: Lab): Promise<number> {
  upstream.status = 503;
  await fleet.become('open', isNotClosed);
  let failures = 0;
  for (const moves of await fleet.each((replica) => replica.moves())) {
    const opening = moves.find(({ to }) => to === 'open');
    expect(opening).toBeDefined();
    failures += opening?.failed ?? 0;
  }
  return failures;
}

describe('after healthy traffic, a fleet opens after about as many failures as one process', () => {
  // Were each replica to learn it by itself, it would take 20 in each: 100 and 400 in all. Added up, it takes the same
  // 20 in a row in all, and what the fleet calls meanwhile, until it has agreed upon it and all have heard.
  test.each([
    [5, 4],
    [20, 2],
  ])(
    '%i replicas with %i calls a second',
    async (replicas, perSecond) => {
      await startLoaded(lab, replicas, 0);
      await fillWindows(lab, perSecond);
      const failures = await failuresUntilOpen(lab);
      console.log(`${replicas} replicas: open after ${failures} failures in all`);
      expect(failures).toBeGreaterThanOrEqual(ALONE);
      expect(failures).toBeLessThan(ALONE + (replicas * perSecond * TRIP_MS) / 1_000);
      expect(failures).toBeLessThan((replicas * ALONE) / 2);
    },
    PATIENCE_MS,
  );
});

test(
  'three callers of twelve that all fail open the circuit of all, and of those who have never called',
  async () => {
    const { fleet, upstream, stored } = lab;
    await startLoaded(lab, 12, 0);
    upstream.status = 503;
    const callers = fleet.all.slice(0, 3);
    for (const replica of callers) await replica.load(10);
    await fleet.become('open', isNotClosed, callers);
    while (!(await stored.isOpen())) await pause(20);
    await fleet.each((replica) => replica.load(0));
    await pause(HEARD_MS);
    for (const replica of fleet.all.slice(3)) {
      await replica.call();
      expect(await replica.tally()).toMatchObject({ refused: 1, failed: 0 });
    }
    await fleet.become('open', isNotClosed);
  },
  PATIENCE_MS,
);

describe('a replica that alone fails opens alone', () => {
  interface Case {
    readonly replicas: number;
    /** Calls a second of the bad one; of each of the others, one. */
    readonly times: number;
    readonly noise: number;
    readonly flushes: boolean;
  }
  const LASTS_MS = 6_000;
  const BETWEEN_FLUSHES_MS = 400;
  const PER_SECOND = 5;

  async function expectAlone(bad: Replica, good: readonly Replica[]): Promise<void> {
    expect((await bad.moves()).map(({ reason }) => reason)).toContainEqual(
      expect.stringMatching(/failure-rate|consecutive-failures/),
    );
    for (const replica of good) expect(await replica.moves()).toEqual([]);
  }

  test.each<Case>([
    { replicas: 3, times: 1, noise: 0, flushes: false },
    { replicas: 5, times: 1, noise: 0, flushes: false },
    { replicas: 20, times: 1, noise: 0, flushes: false },
    { replicas: 5, times: 30, noise: 0.05, flushes: false },
    { replicas: 5, times: 1, noise: 0.05, flushes: true },
  ])(
    'one of $replicas, with $times times the traffic; noise elsewhere $noise; Redis emptied again and again: $flushes',
    async ({ replicas, times, noise, flushes }) => {
      const { fleet, broken, redis } = lab;
      const good = await fleet.start(replicas - 1, { noise });
      const [bad] = (await fleet.start(1, { upstream: broken.url })) as [Replica];
      await Promise.all(good.map((replica) => replica.load(PER_SECOND)));
      await fleet.become('connected', isConnected);
      await bad.load(PER_SECOND * times);
      await fleet.become('open by itself', isNotClosed, [bad]);
      const client = redis.client();
      const until = performance.now() + LASTS_MS;
      while (performance.now() < until) {
        if (flushes) await client.flushall();
        await pause(BETWEEN_FLUSHES_MS);
      }
      await expectAlone(bad, good);
    },
    PATIENCE_MS,
  );
});
