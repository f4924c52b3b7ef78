import { constants } from 'node:http2';
import { expect } from 'vitest';
import type { Case } from '../harness/case.ts';
import { LASTING } from '../harness/circuits.ts';
import { wire } from '../harness/raw-client.ts';
import type { RouteSpec } from '../harness/subject.ts';
import { pause, until } from '../harness/wait.ts';

const NAME = 'route:POST /upload';
const LIMIT_MS = 60;
/** More than three, which open the circuit. */
const TIMES = 6;

const upload: RouteSpec = {
  method: 'POST',
  path: '/upload',
  handler: (call) => call.send({ body: 'received' }),
};

/** A request of which only a part is sent. The app reads JSON, and leaves other bodies alone. */
function half(type: 'application/json' | 'application/octet-stream'): string {
  const headers = { 'Content-Type': type, 'Content-Length': '1000' };
  return `${wire('POST', '/upload', { headers })}{"half":`;
}

/** Whoever sends slowly must not be able to close a route for all others. */
export const slowClients: readonly Case[] = [
  {
    title:
      'a request that its client does not send by the deadline: 504, and nothing is held against the route',
    async run(lab) {
      const service = await lab.healed(
        { routes: [upload] },
        { defaults: { deadlineMs: LIMIT_MS, circuit: LASTING } },
      );
      for (let i = 0; i < TIMES; i++) {
        const client = await service.connect();
        const answer = await client.send(half('application/json')).answer();
        expect(answer.status).toBe(504);
        expect(answer.header('connection')).toBe('close');
      }
      await service.booked(NAME, { ignored: TIMES });
      expect(service.status(NAME)?.state).toBe('closed');
    },
  },
  {
    title: 'one that its client gives up on halfway, after timeoutMs: nothing is held against the route',
    async run(lab) {
      const service = await lab.healed(
        { routes: [upload] },
        { defaults: { timeoutMs: LIMIT_MS, circuit: LASTING } },
      );
      for (let i = 0; i < TIMES; i++) {
        const client = await service.connect();
        client.send(half('application/json'));
        await until('the request to be let in', () => service.inFlight === 1);
        await pause(2 * LIMIT_MS);
        client.leave();
        await until('its place to come free', () => service.inFlight === 0);
      }
      await service.booked(NAME, { ignored: TIMES });
      expect(service.status(NAME)?.state).toBe('closed');
    },
  },
  {
    title: 'a handler that hangs without reading what comes is late itself',
    async run(lab) {
      const hanging: RouteSpec = { ...upload, handler: () => new Promise(() => {}) };
      const service = await lab.healed({ routes: [hanging] }, { defaults: { deadlineMs: LIMIT_MS } });
      const client = await service.connect();
      expect((await client.send(half('application/octet-stream')).answer()).status).toBe(504);
      await service.booked(NAME, { failure: 1 });
    },
  },
  {
    title: 'HTTP/2: a request that its client does not send by the deadline',
    needs: ['http2'],
    async run(lab) {
      const service = await lab.healed(
        { http2: true, routes: [upload] },
        { defaults: { deadlineMs: LIMIT_MS } },
      );
      const stream = service
        .http2()
        .request({ ':method': 'POST', ':path': '/upload', 'content-type': 'application/json' });
      stream.on('error', () => {});
      stream.write('{"half":');
      await service.booked(NAME, { ignored: 1 });
    },
  },
  {
    title: 'HTTP/2: one that its client gives up on halfway, after timeoutMs',
    needs: ['http2'],
    async run(lab) {
      const service = await lab.healed(
        { http2: true, routes: [upload] },
        { defaults: { timeoutMs: LIMIT_MS } },
      );
      const stream = service
        .http2()
        .request({ ':method': 'POST', ':path': '/upload', 'content-type': 'application/json' });
      stream.on('error', () => {});
      stream.write('{"half":');
      await until('the request to be let in', () => service.inFlight === 1);
      await pause(2 * LIMIT_MS);
      stream.close(constants.NGHTTP2_CANCEL);
      // Some frameworks come to answer it, for nobody, with 400.
      await until('its place to come free', () => service.inFlight === 0);
      expect(service.status(NAME)?.counts.failure).toBe(0);
    },
  },
];
