import { type ChildProcess, fork } from 'node:child_process';
import type { ForceResult, RuntimeStatus, TargetStatus } from '@healix/core';
import { pause } from '../../conformance/harness/wait.ts';
import type { Command, Reply } from '../../stalls/programs/commands.ts';
import type { Moved, ReplicaOptions, Tally } from '../programs/replica.ts';

/** Many processes start at once, on two busy cores. */
const PATIENCE_MS = 60_000;
const BETWEEN_LOOKS_MS = 100;

export type ReplicaStatus = TargetStatus & Pick<RuntimeStatus, 'fleet'>;

export const isClosed = ({ state }: ReplicaStatus) => state === 'closed';
export const isNotClosed = ({ state }: ReplicaStatus) => state !== 'closed';
export const isConnected = ({ fleet }: ReplicaStatus) => fleet?.store.state === 'connected';
export const isAway = ({ fleet }: ReplicaStatus) => fleet?.store.state === 'away';

/** A replica in a process of its own. */
export class Replica {
  readonly #process: ChildProcess;
  readonly #replies = new Map<number, (value: never) => void>();
  #serial = 0;

  private constructor(options: ReplicaOptions) {
    const program = new URL('../programs/replica.ts', import.meta.url);
    const execArgv = ['--disable-warning=ExperimentalWarning'];
    this.#process = fork(program, [JSON.stringify(options)], { execArgv });
    this.#process.on('message', ({ id, value }: Reply) => {
      const answer = this.#replies.get(id);
      this.#replies.delete(id);
      answer?.(value as never);
    });
  }

  static async start(options: ReplicaOptions): Promise<Replica> {
    const replica = new Replica(options);
    const died = new Promise<never>((_, reject) =>
      replica.#process.once('exit', (code) => reject(new Error(`the replica ended with ${code}`))),
    );
    await Promise.race([new Promise((resolve) => replica.#replies.set(0, resolve)), died]);
    died.catch(() => undefined);
    return replica;
  }

  port = () => this.#tell<number>('port');
  call = () => this.#tell<void>('call');
  load = (perSecond: number) => this.#tell<void>('load', { perSecond });
  tally = () => this.#tell<Tally>('tally');
  status = () => this.#tell<ReplicaStatus>('status');
  moves = () => this.#tell<Moved[]>('moves');
  storeStates = () => this.#tell<string[]>('storeStates');
  force = (state: 'open' | 'closed' | null) => this.#tell<ForceResult>('force', { state });
  close = () => this.#tell<void>('close');

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  #tell<T>(name: string, argument?: unknown): Promise<T> {
    const id = ++this.#serial;
    return new Promise((resolve) => {
      this.#replies.set(id, resolve);
      this.#process.send({ id, name, argument } satisfies Command);
    });
  }
}

/** All replicas of a service. */
export class Replicas {
  readonly all: Replica[] = [];
  readonly #options: ReplicaOptions;

  constructor(options: ReplicaOptions) {
    this.#options = options;
  }

  /** Starts `count` more, with `different` options, and tells which they are. */
  async start(count: number, different: Partial<ReplicaOptions> = {}): Promise<Replica[]> {
    const options = { ...this.#options, ...different };
    const started = await Promise.all(Array.from({ length: count }, () => Replica.start(options)));
    this.all.push(...started);
    return started;
  }

  each<T>(ask: (replica: Replica) => Promise<T>): Promise<T[]> {
    return Promise.all(this.all.map(ask));
  }

  /** Resolves once `is` holds for every replica, or for `some`; else fails, and tells what they are like. */
  async become(
    what: string,
    is: (status: ReplicaStatus) => boolean,
    some: readonly Replica[] = this.all,
  ): Promise<void> {
    const giveUp = performance.now() + PATIENCE_MS;
    for (;;) {
      const statuses = await Promise.all(some.map((replica) => replica.status()));
      if (statuses.every(is)) return;
      if (performance.now() > giveUp) {
        const seen = statuses.map(({ state, forced, fleet }) => ({ state, forced, fleet }));
        throw new Error(`the fleet did not become ${what}: ${JSON.stringify(seen)}`);
      }
      await pause(BETWEEN_LOOKS_MS);
    }
  }

  kill(): void {
    for (const replica of this.all.splice(0)) replica.signal('SIGKILL');
  }
}
