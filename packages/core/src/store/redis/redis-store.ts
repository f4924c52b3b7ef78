import { ConfigError, StoreError } from '../../errors.ts';
import { systemClock } from '../../time/clock.ts';
import { systemRandom } from '../../time/random.ts';
import type * as Port from '../store.ts';
import { checkClient, clientOf, type RedisClient } from './client.ts';
import type { Surroundings } from './connection.ts';
import { claimInput, forceInput, reportInput, seedInput, verdictInput } from './inputs.ts';
import { FleetKeys, type RedisStoreOptions } from './keys.ts';
import { claimReplyOf, flagOf, heartbeatOf, snapshotOf, viewOf, viewsOf } from './replies.ts';
import { type Prelude, type ScriptName, ScriptRunner } from './script-runner.ts';
import { StreamReader } from './stream-reader.ts';

interface Internals extends Partial<Surroundings> {
  readonly prelude?: Prelude;
}

interface Opened {
  readonly keys: FleetKeys;
  readonly runner: ScriptRunner;
  readonly reader: StreamReader;
}

/** The fleet's records in Redis or Valkey, on two connections of its own. What it decides is decided in scripts. */
export class RedisStore implements Port.Store {
  readonly #redis: RedisClient;
  readonly #options: RedisStoreOptions;
  readonly #internals: Internals;
  #opened: Opened | undefined;

  constructor(redis: RedisClient, options: RedisStoreOptions = {}, internals: Internals = {}) {
    checkClient(redis);
    this.#redis = redis;
    this.#options = options;
    this.#internals = internals;
  }

  open(service: string): void {
    if (this.#opened !== undefined)
      throw new ConfigError('store', 'a store in use', 'a store of its own for each runtime');
    const { clock = systemClock, random = systemRandom, prelude } = this.#internals;
    const keys = new FleetKeys(service, this.#options);
    this.#opened = {
      keys,
      runner: new ScriptRunner(this.#redis, keys.stream, { clock, random }, prelude),
      reader: new StreamReader(this.#redis, keys.stream, { clock, random }),
    };
  }

  async heartbeat(replica: string): Promise<Port.Heartbeat> {
    const heartbeat = heartbeatOf(await this.#run('heartbeat', replica, [], []));
    const { runner, reader } = this.#use();
    runner.connection.live = heartbeat.live;
    reader.connection.live = heartbeat.live;
    return heartbeat;
  }

  async leave(replica: string): Promise<void> {
    await this.#run('leave', replica, [], []);
  }

  async report(replica: string, reports: readonly Port.Report[]): Promise<readonly Port.FleetView[]> {
    const targets = reports.map((report) => report.target);
    return viewsOf(await this.#run('report', replica, targets, reports.map(reportInput)), targets);
  }

  async claim(replica: string, claim: Port.Claim): Promise<Port.ClaimReply> {
    return claimReplyOf(await this.#one('claim', replica, claim.target, claimInput(claim)));
  }

  async renew(replica: string, claim: Port.Claim): Promise<Port.ClaimReply> {
    return claimReplyOf(await this.#one('renew', replica, claim.target, claimInput(claim)));
  }

  async settle(replica: string, verdict: Port.Verdict): Promise<Port.VerdictReply> {
    const reply = await this.#one('settle', replica, verdict.target, verdictInput(verdict));
    return { counted: flagOf(reply, 'counted'), view: viewOf(reply) };
  }

  async seed(replica: string, seeds: readonly Port.Seed[]): Promise<readonly Port.FleetView[]> {
    const targets = seeds.map((seed) => seed.view.target);
    return viewsOf(await this.#run('seed', replica, targets, seeds.map(seedInput)), targets);
  }

  async force(replica: string, force: Port.Force): Promise<Port.ForceReply> {
    const reply = await this.#one('force', replica, force.target, forceInput(force));
    return { accepted: flagOf(reply, 'accepted'), view: viewOf(reply) };
  }

  async snapshot(targets: readonly string[]): Promise<Port.Snapshot> {
    return snapshotOf(
      await this.#run(
        'snapshot',
        '',
        targets,
        targets.map((target) => ({ target })),
      ),
    );
  }

  async read(cursor: string, waitMs: number, signal: AbortSignal): Promise<Port.FleetNews> {
    return this.#use().reader.read(cursor, waitMs, signal);
  }

  async close(): Promise<void> {
    this.#opened?.runner.connection.close();
    this.#opened?.reader.connection.close();
  }

  async #one(name: ScriptName, replica: string, target: string, input: object) {
    const replies = await this.#run(name, replica, [target], [input]);
    viewsOf(replies, [target]);
    return replies[0] as Record<string, unknown>;
  }

  #run(name: ScriptName, replica: string, targets: readonly string[], inputs: object[]) {
    const { runner, keys } = this.#use();
    return runner.run(name, replica, keys.of(targets), inputs);
  }

  #use(): Opened {
    if (this.#opened === undefined) throw new StoreError('unreachable', 'the store was not opened');
    return this.#opened;
  }
}

/**
 * Shares circuits through Redis or Valkey. `redis` is an instance of ioredis or iovalkey: a single server, Sentinel or
 * a Cluster. It is only asked where to connect to; healix opens two connections of its own.
 */
export function redisStore(redis: RedisClient, options: RedisStoreOptions = {}): Port.Store {
  return new RedisStore(redis, options);
}

/** As `redisStore`, for a URL such as `redis://localhost:6379`. Loads ioredis, or iovalkey where that is not there. */
export function redisStoreAt(url: string): Port.Store {
  return new RedisStore(clientOf(url));
}
