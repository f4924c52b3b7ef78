import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort, type RedisServer } from './redis-server.ts';

/** The name by which it knows the primary. */
export const SENTINEL_NAME = 'fleet';

/** A real Sentinel, alone, that watches one primary and its replicas. */
export class RedisSentinel {
  readonly port: number;
  readonly #client: Redis;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.#folder = folder;
    this.#process = spawn('redis-sentinel', [join(folder, 'sentinel.conf')], { stdio: 'ignore' });
    this.#client = new Redis(port, '127.0.0.1').on('error', () => undefined);
  }

  /** @param at the port; by default any that is free */
  static async watch(primary: RedisServer, at?: number): Promise<RedisSentinel> {
    const folder = mkdtempSync(join(tmpdir(), 'healix-sentinel-'));
    const port = at ?? (await freePort());
    const lines = [
      `port ${port}`,
      `sentinel monitor ${SENTINEL_NAME} 127.0.0.1 ${primary.port} 1`,
      `sentinel down-after-milliseconds ${SENTINEL_NAME} 1000`,
      `sentinel failover-timeout ${SENTINEL_NAME} 3000`,
    ];
    writeFileSync(join(folder, 'sentinel.conf'), `${lines.join('\n')}\n`);
    return new RedisSentinel(port, folder);
  }

  async knows(replica: RedisServer): Promise<boolean> {
    return (await this.#tells('replicas')).includes(`"${replica.port}"`);
  }

  async hasPromoted(replica: RedisServer): Promise<boolean> {
    return (await this.#tells('get-master-addr-by-name')).includes(`"${replica.port}"`);
  }

  stop(): void {
    this.#client.disconnect();
    this.#process.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #tells(what: string): Promise<string> {
    return JSON.stringify(await this.#client.call('sentinel', what, SENTINEL_NAME));
  }
}
