import { pause } from '../../test/conformance/harness/wait.ts';
import { ToldProcess } from './told-process.ts';

export interface SwarmOptions {
  readonly port: number;
  readonly stream: string;
  /** In this process, and in all. */
  readonly readers: number;
  readonly live: number;
}

export interface Heard {
  /** When each reader heard an entry, by the entry's id, on the clock of `monotonicMs`. */
  readonly at: Record<string, number[]>;
  /** Replies with entries, which may have brought several. */
  reads: number;
}

const PROCESSES = 2;
const BETWEEN_LOOKS_MS = 20;

/** Simulated replicas that read a fleet's stream, many in a process. */
export class Readers {
  readonly count: number;
  readonly #swarms: readonly ToldProcess[];

  private constructor(count: number, swarms: readonly ToldProcess[]) {
    this.count = count;
    this.#swarms = swarms;
  }

  static async start(count: number, port: number, service: string): Promise<Readers> {
    const options: SwarmOptions = {
      port,
      stream: `{healix:v1:${service}}:s`,
      readers: count / PROCESSES,
      live: count,
    };
    const program = new URL('./reader-swarm.ts', import.meta.url);
    const starting = Array.from({ length: PROCESSES }, () => ToldProcess.start(program, options));
    const readers = new Readers(count, await Promise.all(starting));
    await readers.untilConnected();
    return readers;
  }

  async connected(): Promise<number> {
    const connected = await Promise.all(this.#swarms.map((swarm) => swarm.tell<number>('connected')));
    return connected.reduce((sum, one) => sum + one, 0);
  }

  async untilConnected(): Promise<void> {
    while ((await this.connected()) < this.count) await pause(BETWEEN_LOOKS_MS);
  }

  /** What all have heard since the last question. */
  async heard(): Promise<Heard> {
    const all: Heard = { at: {}, reads: 0 };
    for (const { at, reads } of await Promise.all(this.#swarms.map((swarm) => swarm.tell<Heard>('heard')))) {
      all.reads += reads;
      for (const [id, moments] of Object.entries(at)) all.at[id] = [...(all.at[id] ?? []), ...moments];
    }
    return all;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#swarms.map((swarm) => swarm.stop()));
  }
}
