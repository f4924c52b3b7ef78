import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster, Redis } from 'ioredis';
import { Cluster as ValkeyCluster } from 'iovalkey';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type RedisClient, redisStore } from '../../../packages/core/src/index.ts';
import type { Store } from '../../../packages/core/src/store/store.ts';
import { pause } from '../../conformance/harness/wait.ts';
import { freePort } from '../harness/redis-server.ts';
import { report } from './fixtures.ts';

const AS_SHORT_AS_POSSIBLE = ['--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0'];

let folder: string;
let processes: ChildProcess[];
let closing: (() => unknown)[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'healix-redis-'));
  processes = [];
  closing = [];
});

afterEach(async () => {
  for (const close of closing) await close();
  for (const child of processes) child.kill('SIGKILL');
  await pause(100);
  rmSync(folder, { recursive: true, force: true });
});

async function serve(...args: string[]): Promise<{ port: number; child: ChildProcess }> {
  const port = await freePort();
  const cwd = mkdtempSync(join(folder, 'server-'));
  const child = spawn('redis-server', ['--port', `${port}`, ...AS_SHORT_AS_POSSIBLE, ...args], {
    cwd,
    stdio: 'ignore',
  });
  processes.push(child);
  return { port, child };
}

const cli = (port: number, ...args: string[]) =>
  execFileSync('redis-cli', ['-p', `${port}`, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });

async function until(patienceMs: number, is: () => unknown): Promise<number> {
  const began = performance.now();
  for (;;) {
    const yes = await Promise.resolve()
      .then(is)
      .catch(() => false);
    const tookMs = performance.now() - began;
    if (yes) return tookMs;
    if (tookMs > patienceMs) throw new Error(`not within ${patienceMs} ms: ${is}`);
    await pause(100);
  }
}

function use(
  client: RedisClient & { disconnect(): void; on(event: 'error', listener: () => void): unknown },
): Store {
  client.on('error', () => undefined);
  const store = redisStore(client);
  store.open('topologies');
  closing.push(
    () => store.close(),
    () => client.disconnect(),
  );
  return store;
}

it('leaves a frozen primary for the one that Sentinel has made', async () => {
  const primary = await serve();
  await until(5_000, () => cli(primary.port, 'ping'));
  const replica = await serve('--replicaof', '127.0.0.1', `${primary.port}`);
  await until(10_000, () => cli(primary.port, 'info', 'replication').includes('state=online'));
  const port = await freePort();
  const rules = ['down-after-milliseconds fleet 1000', 'failover-timeout fleet 3000'].map(
    (rule) => `sentinel ${rule}\n`,
  );
  const monitor = `sentinel monitor fleet 127.0.0.1 ${primary.port} 1\n`;
  writeFileSync(join(folder, 'sentinel.conf'), `port ${port}\n${monitor}${rules.join('')}`);
  processes.push(spawn('redis-sentinel', [join(folder, 'sentinel.conf')], { stdio: 'ignore' }));
  await until(20_000, () => cli(port, 'sentinel', 'replicas', 'fleet').includes(`${replica.port}`));
  const store = use(new Redis({ sentinels: [{ host: '127.0.0.1', port }], name: 'fleet' }));
  await until(5_000, () => store.heartbeat('a'));
  primary.child.kill('SIGSTOP');
  expect(await until(10_000, () => store.heartbeat('a'))).toBeLessThan(7_000);
});

it('keeps a fleet in one slot of a Cluster, and follows its primary', async () => {
  const servers = await Promise.all(
    Array.from({ length: 6 }, () => serve('--cluster-enabled', 'yes', '--cluster-node-timeout', '1000')),
  );
  const [first] = servers as [(typeof servers)[number]];
  for (const { port } of servers) await until(5_000, () => cli(port, 'ping'));
  const hosts = servers.map(({ port }) => `127.0.0.1:${port}`);
  cli(first.port, '--cluster', 'create', ...hosts, '--cluster-replicas', '1', '--cluster-yes');
  for (const { port } of servers) {
    await until(20_000, () => cli(port, 'cluster', 'info').includes('cluster_state:ok'));
    await until(20_000, () => /role:master|master_link_status:up/.test(cli(port, 'info', 'replication')));
  }
  const start = [{ host: '127.0.0.1', port: first.port }];
  const options = { scaleReads: 'slave', redisOptions: { keyPrefix: 'app:' } } as const;
  const store = use(new Cluster(start, options));
  const valkey = use(new ValkeyCluster(start, options));
  await until(5_000, () => store.heartbeat('a'));
  await until(5_000, () => valkey.heartbeat('b'));
  const { cursor } = await store.snapshot([]);
  const read = valkey.read(cursor, 5_000, new AbortController().signal);
  await store.report('a', [report('t'), report('u')]);
  expect((await read).entries).toEqual([{ kind: 'ask', targets: ['t', 'u'] }]);

  const slot = cli(first.port, 'cluster', 'keyslot', '{healix:v1:topologies}:s').trim();
  const owner = servers.find(
    ({ port }) => cli(port, 'cluster', 'countkeysinslot', slot).trim() !== '0' && isMaster(port),
  );
  owner?.child.kill('SIGKILL');
  await until(20_000, () => store.heartbeat('a'));
  await until(20_000, () => valkey.heartbeat('b'));
  const { views } = await store.snapshot(['t']);
  expect(views).toMatchObject([{ target: 't', epoch: 1, epochId: 't-1' }]);
});

const isMaster = (port: number) => cli(port, 'info', 'replication').includes('role:master');
