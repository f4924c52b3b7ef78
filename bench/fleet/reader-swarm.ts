// Many readers of one stream in one process: each does what a replica's reader does, and nothing more.
import { setTimeout as wait } from 'node:timers/promises';
import { obey } from '../../test/stalls/programs/commands.ts';
import type { Heard, SwarmOptions } from './readers.ts';
import { type Reply, RespSocket } from './resp.ts';
import { monotonicMs } from './told-process.ts';

type Entries = [id: string, fields: string[]][];

/** As `StreamReader` and `NewsReader` have them. */
const COUNT = '200';
const BLOCK_MS = '5000';
const SHORTEST_PAUSE_MS = 5;
const PAUSE_A_REPLICA_MS = 0.1;
/** As `Connection` has them. */
const SHORTEST_RETRY_MS = 250;
const RETRY_A_REPLICA_MS = 2;
const LONGEST_RETRY_MS = 5_000;

const { port, stream, readers, live } = JSON.parse(process.argv[2] as string) as SwarmOptions;
let connected = 0;
let heard: Heard = { at: {}, reads: 0 };
let stopped = false;

async function read(): Promise<void> {
  let attempt = 0;
  while (!stopped) {
    try {
      const socket = await RespSocket.open(port);
      attempt = 0;
      connected++;
      try {
        await follow(socket);
      } finally {
        connected--;
        socket.close();
      }
    } catch {
      await wait(retryMs(++attempt));
    }
  }
}

async function follow(socket: RespSocket): Promise<void> {
  const [last] = (await socket.send('XREVRANGE', stream, '+', '-', 'COUNT', '1')) as Entries;
  let cursor = last?.[0] ?? '0-0';
  while (!stopped) {
    const reply = await socket.send('XREAD', 'COUNT', COUNT, 'BLOCK', BLOCK_MS, 'STREAMS', stream, cursor);
    const entries = entriesOf(reply);
    if (entries.length === 0) continue;
    heard.reads++;
    const at = monotonicMs();
    for (const [id] of entries) {
      heard.at[id] ??= [];
      heard.at[id].push(at);
      cursor = id;
    }
    await wait(Math.max(SHORTEST_PAUSE_MS, live * PAUSE_A_REPLICA_MS));
  }
}

function entriesOf(reply: Reply): Entries {
  const [stream] = (reply ?? []) as [[name: string, entries: Entries]?];
  return stream?.[1] ?? [];
}

function retryMs(attempt: number): number {
  const first = Math.max(SHORTEST_RETRY_MS, live * RETRY_A_REPLICA_MS);
  const most = Math.min(first * 2 ** (attempt - 1), Math.max(first, LONGEST_RETRY_MS));
  return Math.random() * most;
}

for (let i = 0; i < readers; i++) void read();

obey({
  connected: () => connected,
  /** What was heard since the last question. */
  heard: () => {
    const so = heard;
    heard = { at: {}, reads: 0 };
    return so;
  },
  stop: () => {
    stopped = true;
  },
});
