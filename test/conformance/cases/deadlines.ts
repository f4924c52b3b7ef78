import type { ServerResponse } from 'node:http';
import { PassThrough, Readable } from 'node:stream';
import { isHealixError } from '@healix/core';
import { expect } from 'vitest';
import type { Case } from '../harness/case.ts';
import { wire, wireJson } from '../harness/raw-client.ts';
import type { Call, RouteSpec } from '../harness/subject.ts';
import { Gate, pause, until } from '../harness/wait.ts';

const DEADLINE_MS = 60;
const next: RouteSpec = {
  method: 'GET',
  path: '/next',
  handler: (call) => call.send({ body: 'still here' }),
};

function late(then: (call: Call) => unknown, method: 'GET' | 'POST' = 'GET') {
  const gate = new Gate();
  const done = new Gate();
  const route: RouteSpec = {
    method,
    path: '/late',
    healing: { deadlineMs: DEADLINE_MS },
    handler: async (call) => {
      await gate.passed;
      try {
        return await then(call);
      } finally {
        done.open();
      }
    },
  };
  return { gate, done, route };
}

/** A route's deadline. */
export const deadlines: readonly Case[] = [
  {
    title: 'a handler that is late: 504 with problem+json, booked as a failure',
    async run(lab) {
      const { route } = late(() => {});
      const service = await lab.healed({ routes: [route] });
      const answer = await service.ask('GET', '/late');
      expect(answer.status).toBe(504);
      expect(answer.header('content-type')).toMatch(/^application\/problem\+json/);
      expect(answer.json()).toMatchObject({ status: 504, reason: 'deadline', target: 'route:GET /late' });
      await service.booked('route:GET /late', { failure: 1 });
    },
  },
  {
    title: 'one that is in time is left alone',
    async run(lab) {
      const route: RouteSpec = { ...next, healing: { deadlineMs: 30_000 } };
      const service = await lab.healed({ routes: [route] });
      await service.http.get('/next').expect(200, 'still here');
      await service.booked('route:GET /next', { success: 1 });
    },
  },
  {
    title: "the handler's signal aborts with a HealixError, read before or after",
    async run(lab) {
      const reasons: unknown[] = [];
      const routes = ['/early', '/after'].map(
        (path): RouteSpec => ({
          method: 'GET',
          path,
          healing: { deadlineMs: DEADLINE_MS },
          handler: async (call) => {
            const early = path === '/early' ? call.healing?.signal : undefined;
            expect(early?.aborted ?? false).toBe(false);
            await pause(3 * DEADLINE_MS);
            const signal = early ?? call.healing?.signal;
            await until('the signal to abort', () => signal?.aborted);
            reasons.push(signal?.reason);
          },
        }),
      );
      const service = await lab.healed({ routes });
      for (const { path } of routes) expect((await service.ask('GET', path as string)).status).toBe(504);
      await until('both handlers to be told', () => reasons.length === 2);
      for (const reason of reasons) expect(isHealixError(reason, 'HEALIX_DEADLINE')).toBe(true);
    },
  },
  {
    title: 'a signal is there without a deadline too, and where nothing is healed',
    async run(lab) {
      const route: RouteSpec = {
        method: 'GET',
        path: '/it',
        handler: (call) => call.send({ body: { aborted: call.healing?.signal.aborted } }),
      };
      const service = await lab.healed({ routes: [route] });
      await service.http.get('/it').expect(200, { aborted: false });
      const off = await lab.healed({ routes: [route] }, { disabled: true });
      await off.http.get('/it').expect(200, { aborted: false });
    },
  },
  ...(
    [
      ['an answer', (call) => call.send({ body: 'too late' })],
      ['a stream', (call) => call.send({ body: new PassThrough().end('too late') })],
      ['an error', (call) => Promise.reject(call.error(500, 'too late'))],
      ['nothing at all', () => {}],
    ] as [string, (call: Call) => unknown][]
  ).map(
    ([what, then]): Case => ({
      title: `${what} from a handler that is late does no harm`,
      async run(lab) {
        const { gate, done, route } = late(then);
        const service = await lab.healed({ routes: [route, next] });
        const client = await service.connect();
        expect((await client.send(wire('GET', '/late')).answer()).status).toBe(504);
        gate.open();
        await done.passed;
        await pause(20);
        if (client.ended) {
          expect((await service.ask('GET', '/next')).status).toBe(200);
        } else {
          const answer = await client.send(wire('GET', '/next')).answer();
          expect(answer.body.toString()).toBe('still here');
        }
        expect(client.received.toString()).not.toContain('too late');
        await service.booked('route:GET /late', { failure: 1 });
      },
    }),
  ),
  ...(
    [
      ['writes', (res) => res.write('too late', () => res.end())],
      ['ends', (res) => res.end('too late')],
      ['writes a head', (res) => res.writeHead(200, { 'x-late': 'too late' }).end()],
      ['sets headers', (res) => res.setHeader('x-late', 'too late')],
    ] as [string, (res: ServerResponse) => unknown][]
  ).map(
    ([what, then]): Case => ({
      title: `a late handler takes over a response that waits for its turn, and ${what}: no harm`,
      async run(lab) {
        const first = new Gate();
        const held: RouteSpec = {
          method: 'GET',
          path: '/held',
          handler: async (call) => {
            await first.passed;
            return call.send({ body: 'held' });
          },
        };
        const { gate, done, route } = late((call) => {
          call.takeOver();
          // Where no framework catches what is thrown.
          return new Promise<void>((resolve) => {
            setImmediate(() => {
              resolve();
              then(call.res as ServerResponse);
            });
          });
        });
        const service = await lab.healed({ routes: [held, route, next] });
        const client = await service.connect();
        client.send(wire('GET', '/held') + wire('GET', '/late') + wire('GET', '/next'));
        await service.booked('route:GET /late', { failure: 1 });
        gate.open();
        await done.passed;
        await pause(20);
        first.open();
        expect((await client.answer()).body.toString()).toBe('held');
        expect((await client.answer()).status).toBe(504);
        expect((await client.answer()).body.toString()).toBe('still here');
        expect(client.received.toString()).not.toContain('too late');
      },
    }),
  ),
  ...(
    [
      ['sends early hints', (res) => res.writeEarlyHints({ link: '</a.css>; rel=preload' })],
      ['has it go on', (res) => res.writeContinue()],
      ['pipes something into it', (res) => Readable.from(['too late']).pipe(res)],
    ] as [string, (res: ServerResponse) => unknown][]
  ).map(
    ([what, then]): Case => ({
      title: `a late handler takes over a response that was sent, and ${what}: no harm`,
      async run(lab) {
        const { gate, done, route } = late((call) => {
          call.takeOver();
          return new Promise<void>((resolve) => {
            setImmediate(() => {
              resolve();
              then(call.res as ServerResponse);
            });
          });
        });
        const service = await lab.healed({ routes: [route, next] });
        expect((await service.ask('GET', '/late')).status).toBe(504);
        gate.open();
        await done.passed;
        await pause(20);
        expect((await service.ask('GET', '/next')).status).toBe(200);
      },
    }),
  ),
  {
    title: 'an answer that has begun goes on past the deadline',
    async run(lab) {
      const service = await lab.healed({
        routes: [
          {
            method: 'GET',
            path: '/long',
            healing: { deadlineMs: DEADLINE_MS },
            handler: (call) => {
              const feed = new PassThrough();
              feed.write('begun, ');
              setTimeout(() => feed.end('done'), 4 * DEADLINE_MS);
              return call.send({ headers: { 'content-type': 'text/plain' }, body: feed });
            },
          },
        ],
      });
      const answer = await service.ask('GET', '/long');
      expect(answer.body.toString()).toBe('begun, done');
      await service.booked('route:GET /long', { success: 1 });
    },
  },
  {
    title: 'deadlines that pass again and again open the circuit',
    async run(lab) {
      const { route } = late(() => {}, 'POST');
      const circuit = { consecutiveFailures: 3, openMs: 60_000 };
      const service = await lab.healed({ routes: [route] }, { defaults: { circuit } });
      await until('the circuit to open', async () => {
        const client = await service.connect();
        await client.send(wireJson('/late', {})).answer();
        client.leave();
        return service.status('route:POST /late')?.state === 'open';
      });
    },
  },
];
