import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect } from 'vitest';
import type { Case } from '../harness/case.ts';
import { wire, wireJson } from '../harness/raw-client.ts';
import type { AppSpec, RouteSpec } from '../harness/subject.ts';
import { pause } from '../harness/wait.ts';

const echo: RouteSpec = {
  method: 'POST',
  path: '/echo',
  handler: (call) => call.send({ body: { got: call.body } }),
};
const numbered: RouteSpec = {
  method: 'GET',
  path: '/n/:n',
  handler: async (call) => {
    // Later ones are done sooner: only the order of the connection puts them right.
    await pause(20 - 4 * Number(call.params.n));
    return call.send({ body: { n: call.params.n } });
  },
};

/** What goes on over a connection is the same with healing and without. */
export const connections: readonly Case[] = [
  {
    title: 'a stream arrives as it is written',
    async run(lab) {
      const feeds: PassThrough[] = [];
      const spec: AppSpec = {
        routes: [
          {
            method: 'GET',
            path: '/stream',
            handler: (call) => {
              const feed = new PassThrough();
              feeds.push(feed);
              feed.write('first;');
              return call.send({ headers: { 'content-type': 'text/plain' }, body: feed });
            },
          },
        ],
      };
      const { text } = await lab.same(spec, async (client) => {
        client.send(wire('GET', '/stream'));
        await client.has('first;');
        for (const part of ['second;', 'third;']) {
          feeds.at(-1)?.write(part);
          await client.has(part);
        }
        feeds.at(-1)?.end('last.');
        await client.answer();
      });
      expect(text).toContain('last.');
    },
  },
  {
    title: 'a stream that errors midway breaks the connection off the same way',
    async run(lab) {
      const feeds: PassThrough[] = [];
      await lab.same(
        {
          routes: [
            {
              method: 'GET',
              path: '/breaks',
              handler: (call) => {
                const feed = new PassThrough();
                feeds.push(feed);
                feed.write('half');
                return call.send({ headers: { 'content-type': 'text/plain' }, body: feed });
              },
            },
          ],
        },
        async (client) => {
          await client.send(wire('GET', '/breaks')).has('half');
          feeds.at(-1)?.destroy(new Error('the disk is gone'));
          // Some frameworks leave the connection hanging; then there is nothing more to come.
          await Promise.race([once(client.socket, 'close'), pause(100)]);
        },
      );
    },
  },
  {
    title: 'keep-alive: one connection, one request after the other',
    async run(lab) {
      const { healed } = await lab.same({ routes: [numbered, echo] }, async (client) => {
        for (const n of [1, 2, 3]) {
          const answer = await client.send(wire('GET', `/n/${n}`)).answer();
          expect(answer.json()).toEqual({ n: String(n) });
        }
        await client.send(wireJson('/echo', ['x'])).answer();
        expect(client.ended).toBe(false);
      });
      await healed.booked('route:GET /n/:n', { success: 3 });
    },
  },
  {
    title: 'pipelining: answers in the order of the questions',
    async run(lab) {
      const questions =
        [1, 2, 3, 4].map((n) => wire('GET', `/n/${n}`)).join('') + wireJson('/echo', { five: 5 });
      const { healed } = await lab.same({ routes: [numbered, echo] }, async (client) => {
        client.send(questions);
        for (const n of [1, 2, 3, 4]) expect((await client.answer()).json()).toEqual({ n: String(n) });
        expect((await client.answer()).json()).toEqual({ got: { five: 5 } });
      });
      await healed.booked('route:GET /n/:n', { success: 4 });
    },
  },
  {
    title: 'Expect: 100-continue',
    async run(lab) {
      const body = '{"patient":true}';
      const headers = {
        'Content-Type': 'application/json',
        'Content-Length': String(body.length),
        Expect: '100-continue',
      };
      await lab.same({ routes: [echo] }, async (client) => {
        await client.send(wire('POST', '/echo', { headers })).has('100 Continue');
        const answer = await client.send(body).answer();
        expect(answer).toMatchObject({ status: 200, interim: [100] });
      });
    },
  },
  {
    title: 'Connection: close, and HTTP/1.0',
    async run(lab) {
      const routes = [numbered];
      await lab.same({ routes }, async (client) =>
        client.send(wire('GET', '/n/1', { headers: { Connection: 'close' } })).whole(),
      );
      await lab.same({ routes }, async (client) => client.send('GET /n/1 HTTP/1.0\r\n\r\n').whole());
    },
  },
  {
    title: 'a client that leaves midway: the handler is told the same way',
    async run(lab) {
      const told: string[][] = [];
      const handler: RouteSpec['handler'] = (call) => {
        const events: string[] = [];
        told.push(events);
        const feed = new PassThrough();
        call.res.once('close', () => events.push(`close, finished: ${call.res.writableFinished}`));
        feed.write('begun');
        return call.send({ headers: { 'content-type': 'text/plain' }, body: feed });
      };
      for (const service of [
        await lab.bare({ routes: [{ method: 'GET', path: '/it', handler }] }),
        await lab.healed({ routes: [{ method: 'GET', path: '/it', handler }] }),
      ]) {
        const client = await service.connect();
        await client.send(wire('GET', '/it')).has('begun');
        client.leave();
        await expect.poll(() => told.at(-1)).toEqual(['close, finished: false']);
      }
      expect(told).toHaveLength(2);
    },
  },
  {
    title: 'HTTP/2: bodies, errors and names as over HTTP/1',
    needs: ['http2'],
    async run(lab) {
      const spec: AppSpec = {
        http2: true,
        routes: [
          numbered,
          echo,
          {
            method: 'GET',
            path: '/throws',
            handler: () => {
              throw new Error('secret');
            },
          },
        ],
      };
      const healed = await lab.healed(spec);
      const told: unknown[] = [];
      for (const service of [await lab.bare(spec), healed]) {
        const session = service.http2();
        const answers = [];
        for (const path of ['/n/2', '/throws', '/nowhere']) {
          const stream = session.request({ ':path': path });
          const [head] = (await once(stream, 'response')) as [Record<string, unknown>];
          const body = Buffer.concat(await stream.toArray()).toString();
          const { date: _, ...headers } = head;
          answers.push({ headers: { ...headers }, body });
        }
        told.push(answers);
      }
      expect(told[1]).toEqual(told[0]);
      await healed.booked('route:GET /n/:n', { success: 1 });
      await healed.booked('route:GET /throws', { failure: 1 });
    },
  },
];
