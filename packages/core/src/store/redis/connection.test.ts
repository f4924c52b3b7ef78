import { EventEmitter } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { VirtualClock } from '../../time/virtual-clock.ts';
import { Connection } from './connection.ts';

type RetryMs = (attempt: number) => number;

const gc = globalThis.gc as () => void;

class Client extends EventEmitter {
  status = 'connecting';

  call = async (): Promise<unknown> => 'OK';

  disconnect(): void {
    if (this.status !== 'end') this.become('end');
  }

  become(status: string): void {
    this.status = status;
    this.emit(status);
  }
}

function setup() {
  const clock = new VirtualClock();
  const clients: Client[] = [];
  const options: Record<string, unknown>[] = [];
  const duplicate = (own: Record<string, unknown>) => {
    const client = new Client();
    clients.push(client);
    options.push(own);
    return client;
  };
  const connection = new Connection({ duplicate }, { clock, random: { next: () => 0.999 } }, undefined);
  const last = () => clients.at(-1) as Client;
  const send = () => connection.send(50, 'PING').catch(({ reason }) => reason);
  return { clock, clients, options, connection, last, send };
}

describe('a client that has ended for good', () => {
  test('is replaced by another, after a random wait', async () => {
    const { clock, clients, last, send } = setup();
    last().become('ready');
    last().become('end');
    expect(await send()).toBe('unreachable');
    await clock.advance(249);
    expect(clients).toHaveLength(1);
    await clock.advance(1);
    expect(clients).toHaveLength(2);
    last().become('ready');
    expect(await send()).toBe('OK');
  });

  test('is replaced after a longer wait each time, until one was ready', async () => {
    const { clock, clients, last } = setup();
    const wait = async () => {
      const before = [clients.length, clock.now()] as const;
      last().become('end');
      while (clients.length === before[0] && clock.now() - before[1] < 6_000) await clock.advance(1);
      return clock.now() - before[1];
    };
    const waits = [];
    for (let i = 0; i < 7; i++) waits.push(await wait());
    expect(waits).toEqual([250, 500, 999, 1_998, 3_996, 4_995, 4_995]);
    last().become('ready');
    expect(await wait()).toBe(250);
  });

  test('is replaced once, where it was given up', async () => {
    const { clock, clients, connection, last } = setup();
    last().become('ready');
    connection.renew();
    await clock.advance(60_000);
    expect(clients).toHaveLength(2);
    clients[0]?.become('end');
    await clock.advance(60_000);
    expect(clients).toHaveLength(2);
  });

  test('is not replaced once the connection is closed', async () => {
    const { clock, clients, connection, last } = setup();
    last().become('ready');
    connection.close();
    await clock.advance(60_000);
    expect([clients.length, clock.pending]).toEqual([1, 0]);
  });
});

test('is asked for again by a time of our own, whatever the user has set', () => {
  const [own] = setup().options as [Record<string, RetryMs>];
  for (const name of ['retryStrategy', 'sentinelRetryStrategy']) expect(own[name]?.(2)).toBe(500);
});

test('nothing is left of those that waited for it in vain', async () => {
  const { clock, connection } = setup();
  const waited = async () => {
    const failed = connection.ready().catch((error: object) => new WeakRef(error));
    await clock.advance(2_001);
    return (await failed) as WeakRef<object>;
  };
  const error = await waited();
  for (let round = 0; round < 5; round++) {
    await turn();
    gc();
  }
  expect(error.deref()).toBeUndefined();
});
