import { expect } from 'vitest';
import type { Case } from '../harness/case.ts';
import { wire, wireJson } from '../harness/raw-client.ts';
import type { Handler, RouteSpec } from '../harness/subject.ts';

const get = (handler: Handler): { routes: RouteSpec[] } => ({
  routes: [{ method: 'GET', path: '/it', handler }],
});
const GET_IT = wire('GET', '/it');

/** A healthy app answers byte for byte as it does without healing. */
export const transparency: readonly Case[] = [
  {
    title: 'JSON and text',
    async run(lab) {
      const json = await lab.same(
        get((call) => call.send({ body: { a: [1, 'ü'] } })),
        async (client) => client.send(GET_IT).answer(),
      );
      expect(json.text).toContain('{"a":[1,"');
      await lab.same(
        get((call) => call.send({ headers: { 'content-type': 'text/plain' }, body: 'plain' })),
        async (client) => client.send(GET_IT).answer(),
      );
    },
  },
  {
    title: 'status, own headers, several cookies',
    async run(lab) {
      const headers = { 'x-own': 'Value', 'set-cookie': ['a=1', 'b=2'] };
      const { text } = await lab.same(
        get((call) => call.send({ status: 207, headers, body: 'multi' })),
        async (client) => client.send(GET_IT).answer(),
      );
      expect(text).toMatch(/^HTTP\/1.1 207 /);
      expect(text.match(/set-cookie: /gi)).toHaveLength(2);
    },
  },
  {
    title: 'an empty 204, a 304, a redirect',
    async run(lab) {
      for (const status of [204, 304]) {
        const { text } = await lab.same(
          get((call) => call.send({ status })),
          async (client) => client.send(GET_IT).answer(),
        );
        expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      }
      const { text } = await lab.same(
        get((call) => call.redirect('/there')),
        async (client) => client.send(GET_IT).answer(),
      );
      expect(text).toMatch(/location: \/there/i);
    },
  },
  {
    title: 'HEAD has the head of GET and no body',
    async run(lab) {
      const { text } = await lab.same(
        get((call) => call.send({ body: 'twelve bytes' })),
        async (client) => client.send(wire('HEAD', '/it')).answer('HEAD'),
      );
      expect(text).toMatch(/content-length: 12/i);
      expect(text).not.toContain('twelve');
    },
  },
  {
    title: 'a megabyte',
    async run(lab) {
      const body = Buffer.alloc(1 << 20, 'healix');
      const { text } = await lab.same(
        get((call) => call.send({ headers: { 'content-type': 'application/octet-stream' }, body })),
        async (client) => client.send(GET_IT).answer(),
      );
      expect(text.length).toBeGreaterThan(1 << 20);
    },
  },
  {
    title: 'a JSON body reaches the handler, whole or in chunks',
    async run(lab) {
      const chunked = { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' };
      const { text } = await lab.same(
        {
          routes: [
            { method: 'POST', path: '/it', handler: (call) => call.send({ body: { got: call.body } }) },
          ],
        },
        async (client) => {
          await client.send(wireJson('/it', { x: 1 })).answer();
          client.send(wire('POST', '/it', { headers: chunked }));
          await client.send('5\r\n{"y":\r\n').send('2\r\n2}\r\n').send('0\r\n\r\n').answer();
        },
      );
      expect(text).toContain('{"got":{"x":1}}');
      expect(text).toContain('{"got":{"y":2}}');
    },
  },
  {
    title: 'errors: thrown, of the framework, bad JSON, no route, wrong method, a URL that cannot be decoded',
    async run(lab) {
      const routes: RouteSpec[] = [
        { method: 'GET', path: '/throws', handler: () => Promise.reject(new Error('secret')) },
        { method: 'GET', path: '/teapot', handler: (call) => Promise.reject(call.error(418, 'short')) },
        { method: 'POST', path: '/it/:id', handler: (call) => call.send({ body: { got: call.body } }) },
        { method: 'GET', path: '/it/:id', handler: (call) => call.send({ body: call.params }) },
      ];
      const json = { 'Content-Type': 'application/json' };
      for (const [question, status] of [
        [wire('GET', '/throws'), '500'],
        [wire('GET', '/teapot'), '418'],
        [wire('POST', '/it/1', { headers: json, body: '{"x"' }), '400'],
        [wire('GET', '/nowhere'), '404'],
        [wire('DELETE', '/it/1'), '404'],
        [wire('GET', '/it/%zz'), '(200|400)'],
      ] as const) {
        const { text } = await lab.same({ routes }, async (client) => client.send(question).answer());
        expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      }
    },
  },
  {
    title: 'a handler that writes to the raw response: head in any form, early hints, trailers',
    async run(lab) {
      const { text } = await lab.same(
        get((call) => {
          const { res } = call;
          call.takeOver();
          if (!('writeProcessing' in res)) return;
          res.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' });
          res.setHeader('x-set', 'before');
          res.writeHead(200, 'Fine', ['Trailer', 'x-sum', 'X-Flat', 'list']);
          res.write('body');
          res.addTrailers({ 'x-sum': '42' });
          res.end();
        }),
        async (client) => {
          const answer = await client.send(GET_IT).answer();
          expect(answer).toMatchObject({ reason: 'Fine', interim: [103], trailers: 'x-sum: 42' });
        },
      );
      expect(text).toContain('X-Flat: list');
    },
  },
  {
    title: 'the response tells its own story: the same events, as often',
    async run(lab) {
      const told: string[][] = [];
      await lab.same(
        get((call) => {
          const events: string[] = [];
          told.push(events);
          for (const event of ['finish', 'close', 'error'] as const) {
            call.res.once(event, () => events.push(event));
          }
          return call.send({ body: 'told' });
        }),
        async (client) => client.send(wire('GET', '/it', { headers: { Connection: 'close' } })).whole(),
      );
      expect(told).toEqual([
        ['finish', 'close'],
        ['finish', 'close'],
      ]);
    },
  },
];
