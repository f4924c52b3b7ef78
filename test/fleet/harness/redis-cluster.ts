import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Redis } from 'ioredis';
import { pause } from '../../conformance/harness/wait.ts';
import { RedisServer } from './redis-server.ts';

const PATIENCE_MS = 60_000;
const OPTIONS = [
  ['--cluster-enabled', 'yes'],
  ['--cluster-node-timeout', '1000'],
  // However much a replica has missed, it is promoted.
  ['--cluster-replica-validity-factor', '0'],
  ['--repl-diskless-sync-delay', '0'],
].flat();

/** Three primaries with a replica each. */
export class RedisCluster {
  readonly #servers: readonly RedisServer[];
  readonly #clients = new Map<RedisServer, Redis>();

  private constructor(servers: readonly RedisServer[]) {
    this.#servers = servers;
  }

  static async start(): Promise<RedisCluster> {
    const servers = await Promise.all(Array.from({ length: 6 }, () => RedisServer.start(...OPTIONS)));
    const cluster = new RedisCluster(servers);
    const hosts = servers.map(({ port }) => `127.0.0.1:${port}`);
    const create = ['--cluster', 'create', ...hosts, '--cluster-replicas', '1', '--cluster-yes'];
    await promisify(execFile)('redis-cli', create);
    for (const server of servers) {
      await until(async () => (await cluster.#ask(server, 'cluster', 'info')).includes('cluster_state:ok'));
      await until(async () => /role:master|master_link_status:up/.test(await cluster.#replication(server)));
    }
    return cluster;
  }

  /** Of one of its servers: where clients begin. */
  get port(): number {
    return (this.#servers[0] as RedisServer).port;
  }

  /** The slot's primary, as most servers see it. */
  async ownerOf(key: string): Promise<RedisServer> {
    for (const server of this.#servers) {
      if (!server.runs) continue;
      const answer = await this.#ask(server, 'cluster', 'countkeysinslot', await this.#slotOf(key));
      if (answer !== '0' && (await this.#replication(server)).includes('role:master')) return server;
    }
    throw new Error(`no primary has ${key}`);
  }

  /** Another primary than `owner`. */
  async otherPrimary(owner: RedisServer): Promise<RedisServer> {
    for (const server of this.#servers) {
      if (server === owner || !server.runs) continue;
      if ((await this.#replication(server)).includes('role:master')) return server;
    }
    throw new Error('no other primary');
  }

  async replicaOf(primary: RedisServer): Promise<RedisServer> {
    for (const server of this.#servers) {
      const replication = await this.#replication(server);
      if (replication.includes('role:slave') && replication.includes(`master_port:${primary.port}\r`)) {
        return server;
      }
    }
    throw new Error(`no replica of ${primary.port}`);
  }

  /** Begins to move the slot of `key`: some of its keys are gone from where it was, and others are not. */
  async halfMove(key: string, from: RedisServer, to: RedisServer): Promise<void> {
    const slot = await this.#slotOf(key);
    await this.#ask(to, 'cluster', 'setslot', slot, 'importing', await this.#idOf(from));
    await this.#ask(from, 'cluster', 'setslot', slot, 'migrating', await this.#idOf(to));
    const keys = await this.#keysIn(slot, from);
    await this.#move(keys.slice(0, Math.ceil(keys.length / 2)), from, to);
  }

  async endMove(key: string, from: RedisServer, to: RedisServer): Promise<void> {
    const slot = await this.#slotOf(key);
    for (let keys = await this.#keysIn(slot, from); keys.length > 0; keys = await this.#keysIn(slot, from)) {
      await this.#move(keys, from, to);
    }
    const id = await this.#idOf(to);
    for (const server of [to, from]) await this.#ask(server, 'cluster', 'setslot', slot, 'node', id);
  }

  /** Clients that wait for news at `server`. */
  async readersAt(server: RedisServer): Promise<number> {
    return Number(/blocked_clients:(\d+)/.exec(await this.#ask(server, 'info', 'clients'))?.[1]);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop()));
  }

  #replication(server: RedisServer): Promise<string> {
    return server.runs ? this.#ask(server, 'info', 'replication') : Promise.resolve('');
  }

  #slotOf(key: string): Promise<string> {
    const server = this.#servers.find(({ runs }) => runs) as RedisServer;
    return this.#ask(server, 'cluster', 'keyslot', key);
  }

  #idOf(server: RedisServer): Promise<string> {
    return this.#ask(server, 'cluster', 'myid');
  }

  async #keysIn(slot: string, server: RedisServer): Promise<string[]> {
    const client = this.#clientOf(server);
    return (await client.call('cluster', 'getkeysinslot', slot, '100')) as string[];
  }

  async #move(keys: readonly string[], from: RedisServer, to: RedisServer): Promise<void> {
    const args = ['127.0.0.1', `${to.port}`, '', '0', '5000', 'KEYS', ...keys];
    await this.#clientOf(from).call('migrate', ...args);
  }

  async #ask(server: RedisServer, command: string, ...args: string[]): Promise<string> {
    return String(await this.#clientOf(server).call(command, ...args));
  }

  #clientOf(server: RedisServer): Redis {
    const client = this.#clients.get(server) ?? server.client();
    this.#clients.set(server, client);
    return client;
  }
}

async function until(is: () => Promise<boolean>): Promise<void> {
  const giveUp = performance.now() + PATIENCE_MS;
  while (!(await is())) {
    if (performance.now() > giveUp) throw new Error(`waited in vain: ${is}`);
    await pause(100);
  }
}
