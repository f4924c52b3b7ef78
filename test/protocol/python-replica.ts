import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** Where a client in another language finds the scripts: in the built package. */
const SCRIPTS = fileURLToPath(new URL('../../packages/core/dist/store/redis', import.meta.url));
const PROGRAM = fileURLToPath(new URL('program.py', import.meta.url));

/** Why the tests in Python are left out here, if they are. */
export const noPython =
  spawnSync('python3', ['--version']).status === 0 ? undefined : 'python3 is not installed';

export interface PythonOptions {
  readonly port: number;
  readonly service: string;
  readonly target: string;
  readonly upstream: string;
  readonly failureRate: number;
  readonly minimumCalls: number;
  readonly streak: number;
  readonly windowMs: number;
  readonly openMs: number;
  readonly maxOpenMs: number;
  readonly probes: number;
  readonly timeoutMs: number;
}

/** A view, as the scripts have it, and how the replica came to know it. */
interface Heard {
  readonly ep: number;
  readonly eid: string;
  readonly st: 'open' | 'closed';
  readonly f: '' | 'open' | 'closed';
  readonly n: number;
  readonly by: 'reply' | 'stream';
}

export interface PythonStatus {
  readonly replica: string;
  readonly digests: Readonly<Record<string, string>>;
  readonly view: Heard | null;
  /** All views that it has believed. */
  readonly heard: readonly Heard[];
  readonly live: number;
  readonly tally: Readonly<Record<string, number>>;
}

/** A replica that is written in Python, in a process of its own. */
export class PythonReplica {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: Interface;
  readonly #died: Promise<never>;

  constructor(options: PythonOptions) {
    const args = ['-B', PROGRAM, JSON.stringify({ host: '127.0.0.1', scripts: SCRIPTS, ...options })];
    this.#process = spawn('python3', args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface(this.#process.stdout);
    this.#died = once(this.#process, 'exit').then(([code, signal]) => {
      throw new Error(`the replica in Python ended with ${code ?? signal}`);
    });
    this.#died.catch(() => undefined);
  }

  status = () => this.#tell<PythonStatus>({});
  /** Calls that come by themselves, so many a second. */
  load = (perSecond: number) => this.#tell<PythonStatus>({ load: perSecond });
  /** What it names trip terms. */
  hash = (...terms: number[]) => this.#tell<string>({ terms });

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  /** One question at a time. */
  async #tell<T>(command: object): Promise<T> {
    const answer = once(this.#lines, 'line') as Promise<[string]>;
    this.#process.stdin.write(`${JSON.stringify(command)}\n`);
    return JSON.parse((await Promise.race([answer, this.#died]))[0]) as T;
  }
}
