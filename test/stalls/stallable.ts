import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { soon, until } from '../conformance/harness/wait.ts';
import type { Command, Reply } from './programs/commands.ts';

/** What a process is kept from running by. */
export type Stall = 'a blocked event loop' | 'SIGSTOP';
export const STALLS: readonly Stall[] = ['a blocked event loop', 'SIGSTOP'];

/** For whoever starts a program, on a busy machine, and stalls it. */
export const PATIENCE_MS = 60_000;
/** Longer than every limit that the programs set. */
const STALL_MS = 3_000;
/** What is left for what happens meanwhile to be over. */
const AFTERMATH_MS = 500;

/** A program in a process of its own, which does what it is told, and can be kept from running. */
export class Stallable {
  readonly #process: ChildProcess;
  readonly #replies = new Map<number, (value: never) => void>();
  #serial = 0;

  private constructor(file: URL, args: readonly string[]) {
    this.#process = fork(file, args, { execArgv: ['--disable-warning=ExperimentalWarning'] });
    this.#process.on('message', ({ id, value }: Reply) => this.#replies.get(id)?.(value as never));
  }

  static async start(file: URL, ...args: readonly string[]): Promise<Stallable> {
    const program = new Stallable(file, args);
    await new Promise((resolve) => program.#replies.set(0, resolve));
    return program;
  }

  /** What the program replies. It is not waited for: a program that is stopped replies when it goes on. */
  tell<T>(name: string, argument?: unknown): Promise<T> {
    const id = ++this.#serial;
    return this.#send(id, name, argument);
  }

  /** Keeps the program from running for a while, during which `meanwhile` happens. */
  async stall(how: Stall, meanwhile: () => unknown): Promise<void> {
    const goesOnAt = performance.now() + STALL_MS;
    const ended = how === 'SIGSTOP' ? await this.#stop() : await this.#block('block', {});
    await meanwhile();
    const left = goesOnAt - performance.now();
    if (left < AFTERMATH_MS) throw new Error('the machine was too busy: nothing could happen meanwhile');
    if (how === 'SIGSTOP') await new Promise((resolve) => setTimeout(resolve, left));
    await ended();
  }

  /** Has the program do something as the first thing after a blocked event loop. */
  async afterBlock<T>(name: string, argument: object): Promise<T> {
    return (await this.#block<T>(name, argument))();
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  #send<T>(id: number, name: string, argument: unknown): Promise<T> {
    return new Promise((resolve) => {
      this.#replies.set(id, resolve);
      this.#process.send({ id, name, argument } satisfies Command);
    });
  }

  /** Resolves once the program says that it is about to block. */
  async #block<T>(name: string, argument: object): Promise<() => Promise<T>> {
    const id = ++this.#serial;
    const blocks = new Promise((resolve) => this.#replies.set(id, resolve));
    const ended = this.tell<T>(name, { ...argument, id, ms: STALL_MS });
    await soon('the program to block', blocks);
    return () => ended;
  }

  async #stop(): Promise<() => Promise<void>> {
    const { pid } = this.#process;
    this.#process.kill('SIGSTOP');
    await until('the process to stop', () =>
      execFileSync('ps', ['-o', 'state=', '-p', String(pid)])
        .toString()
        .startsWith('T'),
    );
    return async () => {
      this.#process.kill('SIGCONT');
    };
  }
}
