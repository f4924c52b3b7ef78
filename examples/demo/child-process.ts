import { type ChildProcess, fork } from 'node:child_process';
import type { Order, Report } from './messages.ts';

/** All processes of a demo but the main one. */
export class Children {
  readonly #all: Child[] = [];

  add(child: Child): Child {
    this.#all.push(child);
    return child;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map((child) => child.stop()));
  }
}

/** Another process of the demo. */
export class Child {
  /** Where it can be reached, once it can be. Rejects if it ends before. */
  readonly ready: Promise<string>;
  readonly #process: ChildProcess;
  readonly #gone: Promise<void>;

  /** @param file beside this one */
  constructor(
    file: string,
    args: readonly (string | number)[],
    onReport: (report: Report) => void = () => {},
  ) {
    this.#process = fork(new URL(file, import.meta.url), args.map(String), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#gone = new Promise((resolve) => this.#process.once('exit', () => resolve()));
    this.ready = new Promise((resolve, reject) => {
      this.#process.on('message', (message) => {
        const report = message as Report;
        if (report.type === 'ready') resolve(report.url);
        else if (report.type === 'failed') reject(new Error(report.why));
        else onReport(report);
      });
      this.#process.once('exit', () => reject(new Error(`${file} ${args.join(' ')} ended too soon`)));
    });
  }

  tell(order: Order): void {
    if (this.#process.connected) this.#process.send(order);
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#gone;
  }
}
