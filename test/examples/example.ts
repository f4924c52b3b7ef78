import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';

const EXAMPLES = resolve(import.meta.dirname, '../../examples');

/** A program under `examples/`, run for real. */
export class Example {
  readonly #process: ChildProcess;
  readonly #exit: Promise<number | null>;
  output = '';
  errors = '';

  constructor(file: string, args: readonly string[] = []) {
    this.#process = spawn(process.execPath, [resolve(EXAMPLES, file), ...args], {
      env: { ...process.env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process.stdout?.setEncoding('utf8').on('data', (text) => {
      this.output += text;
    });
    this.#process.stderr?.setEncoding('utf8').on('data', (text) => {
      this.errors += text;
    });
    this.#exit = new Promise((done) => this.#process.once('close', (code) => done(code)));
  }

  /** Resolves with what `pattern` finds in the output, once it does. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.output);
      if (found !== null) return found;
      if (this.#process.exitCode !== null) throw new Error(`ended without ${pattern}: ${this.errors}`);
      await new Promise((soon) => setTimeout(soon, 20));
    }
  }

  /** The exit code. */
  ended(): Promise<number | null> {
    return this.#exit;
  }

  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.#process.kill(signal);
    return this.#exit;
  }
}

/** Calls `fn` until it returns true: for what healing does in its own time. */
export async function eventually(fn: () => Promise<boolean>): Promise<void> {
  while (!(await fn())) await new Promise((soon) => setTimeout(soon, 50));
}
