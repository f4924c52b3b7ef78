import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { pause } from '../../conformance/harness/wait.ts';
import type { ReplicaOptions } from '../programs/replica.ts';
import { RedisServer } from './redis-server.ts';
import { isConnected, Replicas } from './replicas.ts';
import { Stored } from './stored.ts';
import { Upstream } from './upstream.ts';

/** Many processes on two busy cores. */
export const PATIENCE_MS = 120_000;
/** Before that, a replica tells the others nothing of its failures. */
const NEW_MS = 2_500;
/** Probes an epoch, for the whole fleet. */
export const PROBES = 3;

/** What each test has to itself. Redis is the file's. */
export interface Lab {
  redis: RedisServer;
  service: string;
  upstream: Upstream;
  /** One that never works. */
  broken: Upstream;
  fleet: Replicas;
  stored: Stored;
}

/** Sets the lab up and takes it down, around all tests of the file. */
export function useLab(): Lab {
  const lab = {} as Lab;
  let serial = 0;

  beforeAll(async () => {
    lab.redis = await RedisServer.start();
  });

  beforeEach(async () => {
    lab.service = `service-${serial++}`;
    lab.upstream = await new Upstream().listen();
    lab.broken = await new Upstream().listen();
    lab.broken.status = 503;
    lab.fleet = new Replicas({
      redis: lab.redis.url,
      service: lab.service,
      upstream: lab.upstream.url,
    });
    lab.stored = new Stored(lab.redis.client(), lab.service);
  });

  afterEach(() => {
    lab.fleet.kill();
    lab.upstream.close();
    lab.broken.close();
  });

  afterAll(() => lab.redis.stop());

  return lab;
}

/** Starts replicas with so many calls a second each, and waits until each is a member of the fleet that tells of failures. */
export async function startLoaded(
  { fleet }: Lab,
  count: number,
  perSecond: number,
  different?: Partial<ReplicaOptions>,
): Promise<void> {
  await fleet.start(count, different);
  await fleet.each((replica) => replica.load(perSecond));
  await fleet.become('connected', isConnected);
  await pause(NEW_MS);
}
