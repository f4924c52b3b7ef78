import { pause } from '../../test/conformance/harness/wait.ts';
import { ToldProcess } from './told-process.ts';

/** What all of them subscribe to, beside what they do as replicas. */
export const CHANNEL = 'bench';
const BETWEEN_LOOKS_MS = 50;

export interface ReplicaOptions {
  readonly redis: string;
  readonly service: string;
}

/** Calls by themselves: so many a second, over all targets in turn. */
export interface Load {
  readonly perSecond: number;
  readonly targets: readonly string[];
  /** So many of the targets have trouble: of their calls such a share fails. */
  readonly troubled: number;
  readonly failing: number;
}

/** All replicas of a service, each in a process of its own. */
export class Replicas {
  readonly #all: readonly ToldProcess[];

  private constructor(all: readonly ToldProcess[]) {
    this.#all = all;
  }

  static async start(count: number, options: ReplicaOptions): Promise<Replicas> {
    const program = new URL('./replica.ts', import.meta.url);
    const starting = Array.from({ length: count }, () => ToldProcess.start(program, options));
    return new Replicas(await Promise.all(starting));
  }

  /** Resolves once all know of all, which takes a heartbeat. */
  async meet(): Promise<void> {
    while ((await this.each<number>('live')).some((live) => live < this.count)) await pause(BETWEEN_LOOKS_MS);
  }

  get count(): number {
    return this.#all.length;
  }

  each<T>(name: string, argument?: unknown): Promise<T[]> {
    return Promise.all(this.#all.map((replica) => replica.tell<T>(name, argument)));
  }

  load(load: Load): Promise<unknown> {
    return this.each('load', load);
  }

  /** Calls of all replicas since the last question. */
  async calls(): Promise<number> {
    return (await this.each<number>('calls')).reduce((sum, calls) => sum + calls, 0);
  }

  /** When the last of them had something, on the clock of `monotonicMs`. */
  async last(name: 'openedAt' | 'heardAt' | 'call', argument: unknown): Promise<number> {
    return Math.max(...(await this.each<number>(name, argument)));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map((replica) => replica.stop()));
  }
}
