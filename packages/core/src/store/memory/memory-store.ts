import { ConfigError, StoreError } from '../../errors.ts';
import type * as Port from '../store.ts';
import { claim, renew } from './claim.ts';
import { FleetMemory } from './fleet-memory.ts';
import { force } from './force.ts';
import type { Input, MemoryFleet, Operation, Reply } from './memory-fleet.ts';
import { report } from './report.ts';
import { seed } from './seed.ts';
import { settle } from './settle.ts';

/**
 * Shares circuits between the runtimes of one process, by the same rules as Redis does: each of them is given a store
 * of its own over the same memory, and the same service name.
 */
export class MemoryStore implements Port.Store {
  readonly #memory: FleetMemory;
  readonly #closing = new AbortController();
  #fleet: MemoryFleet | undefined;

  /** @throws ConfigError for what is no FleetMemory */
  constructor(memory: FleetMemory) {
    if (!(memory instanceof FleetMemory)) throw new ConfigError('MemoryStore', memory, 'a FleetMemory');
    this.#memory = memory;
  }

  open(service: string): void {
    if (this.#fleet !== undefined) {
      throw new ConfigError('store', 'a store in use', 'a store of its own for each runtime');
    }
    this.#fleet = this.#memory.fleet(service);
  }

  async heartbeat(replica: string): Promise<Port.Heartbeat> {
    return this.#use().heartbeat(replica, this.#memory.now);
  }

  async leave(replica: string): Promise<void> {
    this.#use().leave(replica);
  }

  async report(replica: string, reports: readonly Port.Report[]): Promise<readonly Port.FleetView[]> {
    return this.#each(replica, reports, report).map(({ view }) => view);
  }

  async claim(replica: string, input: Port.Claim): Promise<Port.ClaimReply> {
    const { result, view } = this.#one(replica, input, claim);
    return { leaseMs: result, view };
  }

  async renew(replica: string, input: Port.Claim): Promise<Port.ClaimReply> {
    const { result, view } = this.#one(replica, input, renew);
    return { leaseMs: result, view };
  }

  async settle(replica: string, input: Port.Verdict): Promise<Port.VerdictReply> {
    const { result, view } = this.#one(replica, input, settle);
    return { counted: result, view };
  }

  async seed(replica: string, seeds: readonly Port.Seed[]): Promise<readonly Port.FleetView[]> {
    const inputs = seeds.map((input) => ({ ...input, target: input.view.target }));
    return this.#each(replica, inputs, seed).map(({ view }) => view);
  }

  async force(replica: string, input: Port.Force): Promise<Port.ForceReply> {
    const { result, view } = this.#one(replica, input, force);
    return { accepted: result, view };
  }

  async snapshot(targets: readonly string[]): Promise<Port.Snapshot> {
    return this.#use().snapshot(targets, this.#memory.now);
  }

  async read(cursor: string, waitMs: number, signal: AbortSignal): Promise<Port.FleetNews> {
    return this.#use().stream.read(cursor, waitMs, [signal, this.#closing.signal]);
  }

  async close(): Promise<void> {
    this.#closing.abort(closed());
  }

  #one<I extends Input, R>(replica: string, input: I, operate: Operation<I, R>): Reply<R> {
    const [reply] = this.#each(replica, [input], operate);
    return reply as Reply<R>;
  }

  #each<I extends Input, R>(replica: string, inputs: readonly I[], operate: Operation<I, R>): Reply<R>[] {
    const { now, run } = this.#memory;
    return this.#use().each({ replica, run, now }, inputs, operate);
  }

  #use(): MemoryFleet {
    if (this.#closing.signal.aborted) throw closed();
    if (this.#fleet === undefined) throw new StoreError('unreachable', 'the store was not opened');
    return this.#fleet;
  }
}

function closed(): StoreError {
  return new StoreError('unreachable', 'the store was closed');
}
