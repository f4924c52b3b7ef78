import { ConfigError, StoreError } from '../../errors.ts';
import { systemClock } from '../../time/clock.ts';
import { systemRandom } from '../../time/random.ts';
import type * as Port from '../store.ts';
import { checkClient, clientOf, type RedisClient } from './client.ts';
import type { Surroundings } from './connection.ts';
import { claimInput, forceInput, reportInput, seedInput, verdictInput } from './inputs.ts';
import { FleetKeys, type RedisStoreOptions } from './keys.ts';
import {
  claimReplyOf,
  type Fields,
  forceReplyOf,
  heartbeatOf,
  snapshotOf,
  verdictReplyOf,
  viewsOf,
} from './replies.ts';
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

/** A fleet's records in Redis or Valkey, over two connections of its own. What is decided is decided in scripts. */
export class RedisStore implements Port.Store {
  readonly #redis: RedisClient;
  readonly #options: RedisStoreOptions;
  readonly #around: Surroundings;
  readonly #prelude: Prelude | undefined;
  #opened: Opened | undefined;

  constructor(redis: RedisClient, options: RedisStoreOptions = {}, internals: Internals = {}) {
    const { clock = systemClock, random = systemRandom, prelude } = internals;
    this.#redis = checkClient(redis);
    this.#options = options;
    this.#around = { clock, random };
    this.#prelude = prelude;
  }

  open(service: string): void {
    if (this.#opened !== undefined) {
      throw new ConfigError('store', 'a store in use', 'a store of its own for each runtime');
    }
    const keys = new FleetKeys(service, this.#options);
    const runner = new ScriptRunner(this.#redis, keys.stream, this.#around, this.#prelude);
    this.#opened = { keys, runner, reader: new StreamReader(this.#redis, keys.stream, this.#around) };
  }

  async heartbeat(replica: string): Promise<Port.Heartbeat> {
    const { runner, reader } = this.#use();
    const heartbeat = heartbeatOf(await this.#run('heartbeat', replica));
    runner.connection.live = heartbeat.live;
    reader.connection.live = heartbeat.live;
    return heartbeat;
  }

  async leave(replica: string): Promise<void> {
    await this.#run('leave', replica);
  }

  async report(replica: string, reports: readonly Port.Report[]): Promise<readonly Port.FleetView[]> {
    return this.#runOn('report', replica, reports.map(reportInput));
  }

  async claim(replica: string, claim: Port.Claim): Promise<Port.ClaimReply> {
    return claimReplyOf(await this.#runOne('claim', replica, claimInput(claim)));
  }

  async renew(replica: string, claim: Port.Claim): Promise<Port.ClaimReply> {
    return claimReplyOf(await this.#runOne('renew', replica, claimInput(claim)));
  }

  async settle(replica: string, verdict: Port.Verdict): Promise<Port.VerdictReply> {
    return verdictReplyOf(await this.#runOne('settle', replica, verdictInput(verdict)));
  }

  async seed(replica: string, seeds: readonly Port.Seed[]): Promise<readonly Port.FleetView[]> {
    return this.#runOn('seed', replica, seeds.map(seedInput));
  }

  async force(replica: string, force: Port.Force): Promise<Port.ForceReply> {
    return forceReplyOf(await this.#runOne('force', replica, forceInput(force)));
  }

  async snapshot(targets: readonly string[]): Promise<Port.Snapshot> {
    const named = targets.map((target) => ({ target }));
    return snapshotOf(await this.#run('snapshot', '', named));
  }

  async read(cursor: string, waitMs: number, signal: AbortSignal): Promise<Port.FleetNews> {
    return this.#use().reader.read(cursor, waitMs, signal);
  }

  async close(): Promise<void> {
    this.#opened?.runner.connection.close();
    this.#opened?.reader.connection.close();
  }

  async #runOne(name: ScriptName, replica: string, input: { target: string }): Promise<Fields> {
    const replies = await this.#run(name, replica, [input]);
    viewsOf(replies, [input.target]);
    return replies[0] as Fields;
  }

  async #runOn(name: ScriptName, replica: string, inputs: { target: string }[]): Promise<Port.FleetView[]> {
    const targets = inputs.map(({ target }) => target);
    return viewsOf(await this.#run(name, replica, inputs), targets);
  }

  async #run(name: ScriptName, replica: string, inputs: { target: string }[] = []): Promise<Fields[]> {
    const { runner, keys } = this.#use();
    return runner.run(name, replica, keys.of(inputs.map(({ target }) => target)), inputs);
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

/** As `redisStore`, for a URL such as `redis://localhost:6379`. Needs ioredis, or iovalkey where that is not there. */
export function redisStoreAt(url: string): Port.Store {
  return new RedisStore(clientOf(url));
}
