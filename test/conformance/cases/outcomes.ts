import { once } from 'node:events';
import { get as httpGet } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect } from 'vitest';
import type { Case } from '../harness/case.ts';
import { LASTING, trip } from '../harness/circuits.ts';
import { type RawClient, wire, wireJson } from '../harness/raw-client.ts';
import type { Call, Handler, RouteSpec } from '../harness/subject.ts';
import { Gate, pause, until } from '../harness/wait.ts';

const get = (path: string, handler: Handler): RouteSpec => ({ method: 'GET', path, handler });
const TEXT = { 'content-type': 'text/plain' };

/** An upstream that sends half an answer and resets the connection once the gate is open. */
async function brokenUpstream(gate: Gate): Promise<Server> {
  const upstream = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf an answer');
      gate.passed.then(() => socket.resetAndDestroy());
    });
  });
  await once(upstream.listen(0, '127.0.0.1'), 'listening');
  return upstream;
}

async function pipeFrom(upstream: Server, call: Call): Promise<unknown> {
  const { port } = upstream.address() as AddressInfo;
  const question = httpGet({ port, host: '127.0.0.1', agent: false });
  const [answer] = await once(question, 'response');
  // From here on the answer tells of the error too, and that is what matters.
  question.on('error', () => {});
  return call.send({ headers: TEXT, body: answer });
}

/** Koa 2 leaves the connection of a broken stream hanging: then it is the client that goes, and still a failure. */
async function brokenOff(client: RawClient): Promise<void> {
  await Promise.race([once(client.socket, 'close'), pause(200)]);
  client.leave();
}

/** What a request came to, as it is booked. */
export const outcomes: readonly Case[] = [
  {
    title: 'by the final status: 5xx is failure, all else success',
    async run(lab) {
      const service = await lab.healed({
        routes: [
          get('/status/:status', (call) => call.send({ status: Number(call.params.status), body: 'x' })),
          get('/throws', () => Promise.reject(new Error('no'))),
          get('/teapot', (call) => Promise.reject(call.error(418, 'short'))),
          get('/gateway', (call) => Promise.reject(call.error(502, 'upstream'))),
          get('/away', (call) => call.redirect('/there')),
        ],
      });
      for (const status of [200, 201, 400, 404, 429, 500, 503]) await service.ask('GET', `/status/${status}`);
      for (const path of ['/throws', '/teapot', '/gateway', '/away']) await service.ask('GET', path);
      await service.booked('route:GET /status/:status', { success: 5, failure: 2 });
      await service.booked('route:GET /throws', { failure: 1 });
      await service.booked('route:GET /teapot', { success: 1 });
      await service.booked('route:GET /gateway', { failure: 1 });
      await service.booked('route:GET /away', { success: 1 });
    },
  },
  {
    title: '5xx opens the circuit, of its own route alone',
    async run(lab) {
      const service = await lab.healed(
        {
          routes: [
            get('/bad', (call) => call.send({ status: 500, body: 'x' })),
            get('/good', (call) => call.send({ body: 'x' })),
          ],
        },
        { defaults: { circuit: LASTING } },
      );
      await service.http.get('/good').expect(200);
      await trip(service, 'route:GET /bad', '/bad');
      await service.http.get('/bad').expect(503);
      await service.http.get('/good').expect(200);
    },
  },
  {
    title: 'a thrown 4xx and bad JSON never open it',
    async run(lab) {
      const service = await lab.healed(
        {
          routes: [
            get('/teapot', (call) => Promise.reject(call.error(422, 'no'))),
            { method: 'POST', path: '/orders', handler: (call) => call.send({ body: 'x' }) },
          ],
        },
        { defaults: { circuit: LASTING } },
      );
      const headers = { 'Content-Type': 'application/json' };
      for (let i = 0; i < 30; i++) {
        expect((await service.ask('GET', '/teapot')).status).toBe(422);
        const client = await service.connect();
        const answer = await client.send(wire('POST', '/orders', { headers, body: '{"x"' })).answer();
        expect(answer.status).toBe(400);
        client.leave();
      }
      await service.booked('route:GET /teapot', { success: 30 });
      await service.booked('route:POST /orders', { success: 30 });
      expect(service.status('route:POST /orders')?.state).toBe('closed');
    },
  },
  {
    title: 'requests without a route never close the door on others, whatever they come to',
    async run(lab) {
      const service = await lab.healed(
        { routes: [get('/here', (call) => call.send({ body: 'x' }))] },
        { defaults: { circuit: LASTING, classify: () => 'failure' } },
      );
      for (let i = 0; i < 30; i++) expect((await service.ask('GET', `/nowhere/${i}`)).status).toBe(404);
      await service.booked('route:unmatched', { failure: 30 });
      expect(service.status('route:unmatched')?.state).toBe('closed');
    },
  },
  {
    title: "an error of the server's own stream is a failure",
    async run(lab) {
      const feeds: PassThrough[] = [];
      const service = await lab.healed({
        routes: [
          get('/breaks', (call) => {
            const feed = new PassThrough();
            feeds.push(feed);
            feed.write('half');
            return call.send({ headers: TEXT, body: feed });
          }),
        ],
      });
      const client = await service.connect();
      await client.send(wire('GET', '/breaks')).has('half');
      feeds[0]?.destroy(new Error('the disk is gone'));
      await brokenOff(client);
      await service.booked('route:GET /breaks', { failure: 1 });
    },
  },
  {
    title: "an upstream's reset that is piped into the answer is a failure, and no abort of the client's",
    async run(lab) {
      const gate = new Gate();
      const upstream = await brokenUpstream(gate);
      const service = await lab.healed({ routes: [get('/proxy', (call) => pipeFrom(upstream, call))] });
      const client = await service.connect();
      await client.send(wire('GET', '/proxy')).has('half an answer');
      gate.open();
      await brokenOff(client);
      await service.booked('route:GET /proxy', { failure: 1 });
      upstream.close();
    },
  },
  {
    title: 'a stream that breaks beside one whose client leaves: a failure, and one that is ignored',
    async run(lab) {
      const feeds: PassThrough[] = [];
      const service = await lab.healed({
        routes: [
          get('/stream', (call) => {
            const feed = new PassThrough();
            feeds.push(feed);
            feed.write('half');
            return call.send({ headers: TEXT, body: feed });
          }),
        ],
      });
      const stays = await service.connect();
      await stays.send(wire('GET', '/stream')).has('half');
      const leaves = await service.connect();
      await leaves.send(wire('GET', '/stream')).has('half');
      feeds[0]?.destroy(new Error('the disk is gone'));
      leaves.leave();
      await brokenOff(stays);
      await service.booked('route:GET /stream', { failure: 1, ignored: 1 });
    },
  },
  {
    title: 'an answer that the server destroys is a failure',
    async run(lab) {
      const service = await lab.healed({
        routes: [
          get('/destroys', (call) => {
            call.res.destroy();
            return new Promise(() => {});
          }),
        ],
      });
      const client = await service.connect();
      await client.send(wire('GET', '/destroys')).whole();
      await service.booked('route:GET /destroys', { failure: 1 });
    },
  },
  {
    title: 'latency is the time to the headers: a long body is not slow, late headers are',
    async run(lab) {
      const slowCallMs = 400;
      const service = await lab.healed(
        {
          routes: [
            get('/long', async (call) => {
              const feed = new PassThrough();
              feed.write('begun');
              setTimeout(() => feed.end('done'), slowCallMs + 200);
              return call.send({ headers: TEXT, body: feed });
            }),
            get('/late', async (call) => {
              await pause(slowCallMs + 100);
              return call.send({ body: 'x' });
            }),
          ],
        },
        { defaults: { circuit: { slowCallMs } } },
      );
      await Promise.all([service.ask('GET', '/long'), service.ask('GET', '/late')]);
      await service.booked('route:GET /long', { success: 1, slow: 0 });
      await service.booked('route:GET /late', { success: 1, slow: 1 });
    },
  },
  {
    title: 'in flight lasts to the end of the body',
    async run(lab) {
      const feed = new PassThrough();
      const service = await lab.healed({
        routes: [get('/long', (call) => call.send({ headers: TEXT, body: feed }))],
      });
      const client = await service.connect();
      feed.write('begun');
      await client.send(wire('GET', '/long')).has('begun');
      expect(service.inFlight).toBe(1);
      feed.end();
      await client.answer();
      await until('the end to be noticed', () => service.inFlight === 0);
    },
  },
  {
    title: "the user's classifier decides; one that throws is told of and does no harm",
    async run(lab) {
      const service = await lab.healed(
        {
          routes: [
            get('/missing', (call) => call.send({ status: 404, body: 'x' })),
            { method: 'POST', path: '/orders', handler: (call) => call.send({ status: 500, body: 'x' }) },
          ],
        },
        {
          targets: {
            'route:GET /missing': { classify: ({ status }) => (status === 404 ? 'failure' : 'success') },
            'route:POST /orders': {
              classify: () => {
                throw new Error('no idea');
              },
            },
          },
        },
      );
      await service.http.get('/missing').expect(404);
      const client = await service.connect();
      expect((await client.send(wireJson('/orders', {})).answer()).status).toBe(500);
      await service.booked('route:GET /missing', { failure: 1 });
      await service.booked('route:POST /orders', { failure: 1 });
      expect(service.runtime.status().callbackErrors).toHaveLength(1);
    },
  },
];
