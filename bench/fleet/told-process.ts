import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Command, Reply } from '../../test/stalls/programs/commands.ts';

/** Longer than anything takes that does happen, on a machine that is busy. */
const PATIENCE_MS = 60_000;

/** A child process that does what it is told: its program calls `obey`. */
export class ToldProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #serial = 0;

  private constructor(program: URL, options: unknown) {
    this.#child = fork(program, [JSON.stringify(options)]);
    this.#child.on('message', ({ id, value }: Reply) => {
      this.#waiting.get(id)?.resolve(value);
      this.#waiting.delete(id);
    });
    this.#child.once('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`${program} ended with ${code}`));
    });
  }

  static async start(program: URL, options: unknown): Promise<ToldProcess> {
    const child = new ToldProcess(program, options);
    await child.#answer(0);
    return child;
  }

  tell<T>(name: string, argument?: unknown): Promise<T> {
    const id = ++this.#serial;
    const answer = this.#answer(id);
    this.#child.send({ id, name, argument } satisfies Command);
    const giveUp = setTimeout(
      () => this.#waiting.get(id)?.reject(new Error(`waited in vain: ${name} ${JSON.stringify(argument)}`)),
      PATIENCE_MS,
    );
    return answer.finally(() => clearTimeout(giveUp)) as Promise<T>;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.disconnect();
    await exit;
  }

  #answer(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }
}

/** Ms of a clock that all processes of this machine share, and that nobody sets. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
