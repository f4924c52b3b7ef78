import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const PATIENCE_MS = 10_000;
const BETWEEN_LOOKS_MS = 20;

/** A Redis server of the demo's own, which keeps nothing. */
export class RedisServer {
  readonly #folder = mkdtempSync(join(tmpdir(), 'healix-demo-redis-'));
  #process: ChildProcess | undefined;

  /** Resolves with its URL. */
  async start(): Promise<string> {
    const port = await freePort();
    const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    // A group of its own: Ctrl-C is for the main process to hear.
    this.#process = spawn('redis-server', args, { cwd: this.#folder, stdio: 'ignore', detached: true });
    process.once('exit', () => this.#process?.kill('SIGKILL'));
    const giveUp = performance.now() + PATIENCE_MS;
    while (!(await answers(port))) {
      if (performance.now() > giveUp) throw new Error(`redis-server did not start on port ${port}`);
      await wait(BETWEEN_LOOKS_MS);
    }
    return `redis://127.0.0.1:${port}`;
  }

  async stop(): Promise<void> {
    const server = this.#process;
    if (server !== undefined && server.exitCode === null && server.signalCode === null) {
      const exit = once(server, 'exit');
      server.kill('SIGKILL');
      await exit;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.once('data', (data) => end(data.toString().startsWith('+PONG')));
    socket.once('error', () => end(false));
    function end(yes: boolean): void {
      socket.destroy();
      resolve(yes);
    }
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
