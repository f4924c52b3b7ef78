import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { pause } from '../../conformance/harness/wait.ts';

const PATIENCE_MS = 10_000;

interface ClientOptions {
  readonly db?: number;
  readonly enableAutoPipelining?: boolean;
  readonly keyPrefix?: string;
  readonly lazyConnect?: boolean;
  readonly password?: string;
  readonly username?: string;
}

/** A Redis server of the test's own, which keeps nothing. */
export class RedisServer {
  readonly port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'healix-redis-'));
  readonly #clients: Redis[] = [];
  readonly #options: readonly string[];
  #process: ChildProcess | undefined;

  private constructor(port: number, options: readonly string[]) {
    this.port = port;
    this.#options = options;
  }

  static async start(...options: readonly string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), options);
    await server.restart();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts the server, anew and empty if it was killed. */
  async restart(): Promise<void> {
    const args = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    this.#process = spawn('redis-server', [...args, ...this.#options], {
      cwd: this.#folder,
      stdio: 'ignore',
    });
    const giveUp = performance.now() + PATIENCE_MS;
    while (!(await this.#answers())) {
      if (performance.now() > giveUp) throw new Error(`redis-server did not start on port ${this.port}`);
      await pause(20);
    }
  }

  /** A client as a user would make it; closed with the server. */
  client(options: ClientOptions = {}): Redis {
    const client = new Redis(this.port, '127.0.0.1', { ...options });
    client.on('error', () => undefined);
    this.#clients.push(client);
    return client;
  }

  /** From now on it takes connections and answers nothing, until `resume`. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  get runs(): boolean {
    const { exitCode, signalCode } = this.#process ?? { exitCode: 0 };
    return exitCode === null && signalCode === null;
  }

  async kill(): Promise<void> {
    const dying = this.#process;
    if (dying === undefined || !this.runs) return;
    const exit = new Promise((resolve) => dying.once('exit', resolve));
    dying.kill('SIGKILL');
    await exit;
  }

  /** Refuses writes as a replica does. */
  async readOnly(yes: boolean): Promise<void> {
    const [host, port] = yes ? ['127.0.0.1', '1'] : ['no', 'one'];
    await this.#ask((client) => client.replicaof(host, port));
  }

  /** Refuses writes for want of memory. */
  async full(yes: boolean): Promise<void> {
    await this.#ask((client) => client.config('SET', 'maxmemory', yes ? '1' : '0'));
  }

  async stop(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.disconnect();
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #answers(): Promise<boolean> {
    return this.#ask((client) => client.ping()).then(
      () => true,
      () => false,
    );
  }

  async #ask<T>(question: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis({ host: '127.0.0.1', port: this.port, lazyConnect: true, retryStrategy: null });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await question(client);
    } finally {
      client.disconnect();
    }
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
