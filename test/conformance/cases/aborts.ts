import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Case } from '../harness/case.ts';
import { LASTING } from '../harness/circuits.ts';
import { wire, wireJson } from '../harness/raw-client.ts';
import type { Handler, RouteSpec } from '../harness/subject.ts';
import { pause, until } from '../harness/wait.ts';

/** A route whose handler never answers, and how often it was entered. */
function hanging(method: 'GET' | 'POST' = 'GET'): RouteSpec & { entered: number } {
  const route = {
    method,
    path: '/hangs',
    entered: 0,
    handler: () => {
      route.entered++;
      return new Promise(() => {});
    },
  };
  return route;
}

type Leave = (stream: ClientHttp2Stream, session: ClientHttp2Session, socket: Socket) => unknown;

/** How a client of HTTP/2 gives up; Node's own sends a reset without an error code for `destroy`. */
const LEAVING: Readonly<Record<string, Leave>> = {
  'a reset': (stream) => stream.close(constants.NGHTTP2_CANCEL),
  'a reset without an error': (stream) => stream.close(constants.NGHTTP2_NO_ERROR),
  'stream.destroy': (stream) => stream.destroy(),
  'session.destroy': (_stream, session) => session.destroy(),
  'session.destroy with an error': (_stream, session) => session.destroy(new Error('enough')),
  'its connection ended': (_stream, _session, socket) => socket.end(),
  'its connection destroyed': (_stream, _session, socket) => socket.destroy(),
  'its connection reset': (_stream, _session, socket) => socket.resetAndDestroy(),
};

/** A client that leaves says nothing of the service, unless it had waited long enough. */
export const aborts: readonly Case[] = [
  {
    title: 'before the headers: ignored, however many',
    async run(lab) {
      const route = hanging();
      const service = await lab.healed({ routes: [route] }, { defaults: { circuit: LASTING } });
      for (let i = 1; i <= 10; i++) {
        const client = await service.connect();
        client.send(wire('GET', '/hangs'));
        await until('the handler to run', () => route.entered === i);
        expect(service.inFlight).toBe(1);
        client.leave();
        await until('the place to come free', () => service.inFlight === 0);
      }
      await service.booked('route:GET /hangs', { ignored: 10 });
      expect(service.status('route:GET /hangs')?.state).toBe('closed');
    },
  },
  {
    title: 'while the request body is on its way: ignored',
    async run(lab) {
      const service = await lab.healed({
        routes: [{ method: 'POST', path: '/upload', handler: (call) => call.send({ body: 'x' }) }],
      });
      const client = await service.connect();
      const headers = { 'Content-Type': 'application/json', 'Content-Length': '1000' };
      client.send(wire('POST', '/upload', { headers })).send('{"half":');
      await until('the request to be let in', () => service.inFlight === 1);
      client.leave();
      await service.booked('route:POST /upload', { ignored: 1 });
    },
  },
  {
    title: 'in the midst of the answer: ignored',
    async run(lab) {
      const service = await lab.healed({
        routes: [
          {
            method: 'GET',
            path: '/stream',
            handler: (call) => {
              const feed = new PassThrough();
              feed.write('begun');
              return call.send({ headers: { 'content-type': 'text/plain' }, body: feed });
            },
          },
        ],
      });
      const client = await service.connect();
      await client.send(wire('GET', '/stream')).has('begun');
      client.leave();
      await service.booked('route:GET /stream', { ignored: 1 });
    },
  },
  {
    title: 'a pipelined pair whose client leaves: both places come free',
    async run(lab) {
      const route = hanging('POST');
      const service = await lab.healed({ routes: [route] });
      const client = await service.connect();
      client.send(wireJson('/hangs', { n: 1 }) + wireJson('/hangs', { n: 2 }));
      await until('both handlers to run', () => route.entered === 2);
      expect(service.inFlight).toBe(2);
      client.leave();
      await service.booked('route:POST /hangs', { ignored: 2 });
      expect(service.inFlight).toBe(0);
    },
  },
  {
    title: 'a hang that the server’s own timeout ends is a failure, and opens the circuit',
    async run(lab) {
      const service = await lab.healed({ routes: [hanging()] }, { defaults: { circuit: LASTING } });
      service.breakOffAfter(60);
      await until('the circuit to open', async () => {
        const client = await service.connect();
        await client.send(wire('GET', '/hangs')).whole();
        return service.status('route:GET /hangs')?.state === 'open';
      });
      expect(service.status('route:GET /hangs')?.counts.ignored).toBe(0);
    },
  },
  {
    title: 'a hang that ends by a timeout of the response is a failure',
    async run(lab) {
      const route = hanging('POST');
      const service = await lab.healed({
        routes: [
          {
            ...route,
            handler: (call) => {
              call.res.setTimeout(50);
              return route.handler(call);
            },
          },
        ],
      });
      const client = await service.connect();
      await client.send(wireJson('/hangs', { n: 1 })).whole();
      await service.booked('route:POST /hangs', { failure: 1 });
    },
  },
  {
    title: 'a request that never comes to its end until the server’s timeout is ignored',
    async run(lab) {
      const service = await lab.healed({ routes: [hanging('POST')] });
      service.breakOffAfter(60);
      const client = await service.connect();
      const headers = { 'Content-Type': 'application/json', 'Content-Length': '1000' };
      await client
        .send(wire('POST', '/hangs', { headers }))
        .send('{"half":')
        .whole();
      await service.booked('route:POST /hangs', { ignored: 1 });
    },
  },
  {
    title: 'a client that leaves before the server’s timeout is ignored',
    async run(lab) {
      const route = hanging();
      const service = await lab.healed({ routes: [route] });
      service.breakOffAfter(60_000);
      const client = await service.connect();
      client.send(wire('GET', '/hangs'));
      await until('the handler to run', () => route.entered === 1);
      client.leave();
      await service.booked('route:GET /hangs', { ignored: 1 });
    },
  },
  {
    title: 'HTTP/2: a reset before the headers is ignored',
    needs: ['http2'],
    async run(lab) {
      const route = hanging();
      const service = await lab.healed({ http2: true, routes: [route] });
      const stream = service.http2().request({ ':path': '/hangs' });
      stream.on('error', () => {});
      await until('the handler to run', () => route.entered === 1);
      stream.close(constants.NGHTTP2_CANCEL);
      await service.booked('route:GET /hangs', { ignored: 1 });
    },
  },
  {
    title: 'HTTP/2: a reset while an answer that has been written in full is still on its way is ignored',
    needs: ['http2'],
    async run(lab) {
      // More than the client's window takes, so that most of it waits when the client leaves.
      const body = Buffer.alloc(4 << 20);
      const headers = { 'content-type': 'application/octet-stream' };
      const service = await lab.healed({
        http2: true,
        routes: [{ method: 'GET', path: '/large', handler: (call) => call.send({ headers, body }) }],
      });
      const stream = service.http2().request({ ':path': '/large' });
      stream.on('error', () => {});
      await once(stream, 'response');
      expect(service.inFlight).toBe(1);
      stream.close(constants.NGHTTP2_CANCEL);
      await service.booked('route:GET /large', { ignored: 1 });
    },
  },
  {
    title: 'HTTP/2: a session that breaks frees all its places',
    needs: ['http2'],
    async run(lab) {
      const route = hanging();
      const service = await lab.healed({ http2: true, routes: [route] });
      const session = service.http2();
      for (let i = 0; i < 5; i++) session.request({ ':path': '/hangs' }).on('error', () => {});
      await until('the handlers to run', () => route.entered === 5);
      session.destroy();
      await service.booked('route:GET /hangs', { ignored: 5 });
    },
  },
  {
    title: 'HTTP/2: however and whenever a client leaves, no place stays taken',
    needs: ['http2'],
    async run(lab) {
      const route = hanging();
      const large: Handler = (call) => call.send({ body: Buffer.alloc(4 << 20) });
      const endless: Handler = (call) =>
        call.send({
          body: new Readable({
            read() {
              setTimeout(() => this.push(Buffer.alloc(16_384)), 1);
            },
          }),
        });
      const service = await lab.healed({
        http2: true,
        routes: [
          route,
          { method: 'GET', path: '/large', handler: large },
          { method: 'GET', path: '/endless', handler: endless },
          { method: 'GET', path: '/small', handler: (call) => call.send({ body: 'small' }) },
        ],
      });
      for (const [how, leave] of Object.entries(LEAVING)) {
        for (const path of ['/hangs', '/large', '/endless', '/small']) {
          for (const moment of [0, 1, 5, 20]) {
            const socket = connect(service.port, '127.0.0.1').on('error', () => {});
            const session = service.http2(socket);
            await once(session, 'connect');
            const stream = session.request({ ':path': path });
            stream.on('error', () => {});
            await (moment === 0 ? setImmediate() : pause(moment));
            leave(stream, session, socket);
            await pause(10);
            // The session lives on, where it can.
            await until(`${path} to be free after ${how} at ${moment} ms`, () => service.inFlight === 0);
            session.destroy();
          }
        }
      }
    },
  },
  {
    title: 'after slowCallMs it is a slow call',
    async run(lab) {
      const route = hanging();
      const service = await lab.healed({ routes: [route] }, { defaults: { circuit: { slowCallMs: 50 } } });
      const client = await service.connect();
      client.send(wire('GET', '/hangs'));
      await until('the handler to run', () => route.entered === 1);
      await pause(120);
      client.leave();
      await service.booked('route:GET /hangs', { success: 1, slow: 1 });
    },
  },
  {
    title: 'after timeoutMs it is a failure: a handler hangs, all clients give up, the circuit opens',
    async run(lab) {
      const route = hanging();
      const service = await lab.healed(
        { routes: [route] },
        { defaults: { timeoutMs: 50, circuit: LASTING } },
      );
      await until('the circuit to open', async () => {
        const client = await service.connect();
        client.send(wire('GET', '/hangs'));
        await pause(120);
        client.leave();
        return service.status('route:GET /hangs')?.state === 'open';
      });
      expect(service.status('route:GET /hangs')?.counts.ignored).toBe(0);
      const entered = route.entered;
      await service.http.get('/hangs').expect(503);
      expect(route.entered).toBe(entered);
    },
  },
  {
    title: 'requests that were answered before their client left count as answered',
    async run(lab) {
      const service = await lab.healed({
        routes: [{ method: 'GET', path: '/it', handler: (call) => call.send({ body: 'x' }) }],
      });
      for (let i = 0; i < 5; i++) {
        const client = await service.connect();
        await client.send(wire('GET', '/it')).answer();
        client.leave();
      }
      await service.booked('route:GET /it', { success: 5 });
    },
  },
];
