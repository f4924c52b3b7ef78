import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pause } from '../conformance/harness/wait.ts';
import { PATIENCE_MS, startLoaded, useLab } from './harness/lab.ts';
import { isClosed, isNotClosed, type Replica, type ReplicaStatus } from './harness/replicas.ts';
import { digestsOf, readScripts } from './pinned/scripts.ts';
import { ReplicaV1 } from './pinned/v1/replica.ts';

const CALLS_PER_SECOND = 10;

describe('replicas of version 1 beside those of today', () => {
  const lab = useLab();
  let old: ReplicaV1[];

  beforeEach(async () => {
    const { redis, service, upstream } = lab;
    await startLoaded(lab, 2, 1);
    old = [0, 1].map(() => new ReplicaV1(redis.url, service, 'upstream:shared', upstream.url));
    await lab.fleet.become('one with them', ({ fleet }) => fleet?.live === 4);
    await oldBecome(({ live }) => live === 4);
  }, PATIENCE_MS);

  afterEach(() => {
    for (const replica of old) replica.close();
  });

  async function oldBecome(is: (replica: ReplicaV1) => boolean): Promise<void> {
    while (!old.every(is)) await pause(20);
  }

  /** Both kinds are needed: one replica of each calls. */
  async function open(): Promise<void> {
    const { fleet, upstream } = lab;
    upstream.status = 503;
    old[0]?.load(CALLS_PER_SECOND);
    await fleet.all[0]?.load(CALLS_PER_SECOND);
    await fleet.all[1]?.load(0);
    await oldBecome(({ view }) => view?.st === 'open');
    await fleet.become('open', isNotClosed);
    const moves = (await fleet.all[1]?.moves()) ?? [];
    expect(moves[0]).toMatchObject({ to: 'open', reason: 'fleet-opened' });
  }

  async function close(): Promise<void> {
    lab.upstream.status = 200;
    await oldBecome(({ view }) => view?.st === 'closed');
    await lab.fleet.become('closed', isClosed);
  }

  test(
    'open together, and close by the probes of one of version 1',
    async () => {
      await open();
      for (const replica of lab.fleet.all) await replica.load(0);
      const before = old[0]?.counted ?? 0;
      await close();
      expect((old[0]?.counted ?? 0) - before).toBeGreaterThanOrEqual(2);
    },
    PATIENCE_MS,
  );

  test(
    'open together, and close by the probes of one of today',
    async () => {
      await open();
      old[0]?.load(0);
      await close();
    },
    PATIENCE_MS,
  );

  test(
    'obey whoever decides last, on either side',
    async () => {
      const { fleet } = lab;
      const [today] = fleet.all as [Replica];
      const isForced =
        (state: string | null) =>
        ({ forced }: ReplicaStatus) =>
          forced === state;
      for (const replica of fleet.all) await replica.load(CALLS_PER_SECOND);
      expect(await today.force('open')).toEqual({ scope: 'fleet' });
      await oldBecome(({ view }) => view?.f === 'open');
      expect(await old[0]?.force('closed')).toBe(true);
      await fleet.become('forced closed', isForced('closed'));
      expect(await today.force(null)).toEqual({ scope: 'fleet' });
      await oldBecome(({ view }) => view?.f === '');
      await fleet.become('free', isForced(null));
    },
    PATIENCE_MS,
  );
});

const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url));

test("today's scripts are those that were tried beside older replicas", () => {
  const { version, scripts } = readScripts(folder('../../packages/core/src/store/redis'));
  const tried = JSON.parse(readFileSync(folder(`pinned/v${version}/tried.json`), 'utf8'));
  const digests = digestsOf(scripts);
  const changed = Object.keys({ ...tried, ...digests }).filter((name) => digests[name] !== tried[name]);
  expect(
    changed,
    `These scripts have changed: ${changed.join(', ')}. Replicas that run test/fleet/pinned/v${version} go on ` +
      'beside the new ones. If the tests above pass, and both mean the same by keys and messages, put the new digests ' +
      `into test/fleet/pinned/v${version}/tried.json: ${JSON.stringify(digests)}. If not, raise the version in ` +
      'packages/core/src/store/redis/record.lua, and pin the new one.',
  ).toEqual([]);
});
