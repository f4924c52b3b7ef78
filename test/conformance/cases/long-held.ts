import { PassThrough } from 'node:stream';
import { expect } from 'vitest';
import type { Case } from '../harness/case.ts';
import { wire } from '../harness/raw-client.ts';
import type { Handler } from '../harness/subject.ts';
import { pause, until } from '../harness/wait.ts';

/** Longer than a busy machine takes to send headers. */
const SLOW_MS = 300;
const options = {
  defaults: { timeoutMs: SLOW_MS, circuit: { slowCallMs: SLOW_MS }, policy: { concurrency: 1 } },
};

/** Headers go out at once; then the connection is held. */
const held: Record<string, { handler: Handler; request: string; first: string }> = {
  'an event stream by the framework': {
    handler: (call) => {
      const feed = new PassThrough();
      feed.write('data: first\n\n');
      return call.send({ headers: { 'content-type': 'text/event-stream' }, body: feed });
    },
    request: wire('GET', '/held', { headers: { Accept: 'text/event-stream' } }),
    first: 'data: first',
  },
  'an event stream by writeHead, type and charset in capitals': {
    // Not taken over: the head alone tells what it is. The framework waits for the handler, which never ends.
    handler: ({ res }) => {
      if ('writeProcessing' in res) {
        res.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' });
        res.write('data: first\n\n');
      }
      return new Promise(() => {});
    },
    request: wire('GET', '/held'),
    first: 'data: first',
  },
  'a connection that is taken over': {
    handler: (call) => {
      call.takeOver();
      call.req.socket.write('HTTP/1.1 200 OK\r\n\r\nfirst');
    },
    request: wire('GET', '/held'),
    first: 'first',
  },
  'an upgrade': {
    handler: (call) => {
      call.takeOver();
      const { socket } = call.req;
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\nfirst');
    },
    request: wire('GET', '/held', { headers: { Connection: 'Upgrade', Upgrade: 'echo' } }),
    first: 'first',
  },
};

/** What is held for long takes no slot, is no slow call, and is no abort in the end. */
export const longHeld: readonly Case[] = [
  ...Object.entries(held).map(
    ([what, { handler, request, first }]): Case => ({
      title: `${what}: no slot, no slow call, no abort at its end`,
      async run(lab) {
        const service = await lab.healed({ routes: [{ method: 'GET', path: '/held', handler }] }, options);
        const clients = [];
        for (let i = 0; i < 3; i++) {
          const client = await service.connect();
          await client.send(request).has(first);
          await until('its slot to come free', () => service.inFlight === 0);
          clients.push(client);
        }
        await pause(1.5 * SLOW_MS);
        for (const client of clients) client.leave();
        await service.booked('route:GET /held', { success: 3 });
        await pause(SLOW_MS);
        await service.booked('route:GET /held', { success: 3 });
        expect(service.status('route:GET /held')?.state).toBe('closed');
      },
    }),
  ),
  {
    title: 'a stream that never ends is in flight until its client leaves',
    async run(lab) {
      const service = await lab.healed({
        routes: [
          {
            method: 'GET',
            path: '/endless',
            handler: (call) => {
              const feed = new PassThrough();
              feed.write('first');
              return call.send({ headers: { 'content-type': 'text/plain' }, body: feed });
            },
          },
        ],
      });
      const client = await service.connect();
      await client.send(wire('GET', '/endless')).has('first');
      expect(service.inFlight).toBe(1);
      client.leave();
      await service.booked('route:GET /endless', { ignored: 1 });
    },
  },
];
