import { expect } from 'vitest';
import type { Case } from '../harness/case.ts';
import { failsOnDemand, LASTING, trip } from '../harness/circuits.ts';
import type { RawAnswer } from '../harness/raw-answer.ts';
import { wire, wireJson } from '../harness/raw-client.ts';
import type { RouteSpec } from '../harness/subject.ts';
import { Gate, pause, until } from '../harness/wait.ts';

function counting(method: RouteSpec['method'], path: string): RouteSpec & { calls: number } {
  const route = {
    method,
    path,
    calls: 0,
    handler: (call: Parameters<RouteSpec['handler']>[0]) => {
      route.calls++;
      return call.send({ body: { done: true } });
    },
  };
  return route;
}

function expectProblem(answer: RawAnswer, status: number, members: object): void {
  expect(answer.status).toBe(status);
  expect(answer.header('content-type')).toMatch(/^application\/problem\+json/);
  const problem = answer.json();
  expect(problem).toMatchObject({ status, ...members });
  for (const member of ['type', 'title', 'detail', 'reason', 'target']) {
    expect(problem[member], member).toBeTypeOf('string');
  }
}

function expectRetryAfter(answer: RawAnswer, least: number, most: number): void {
  const header = answer.header('retry-after') ?? '';
  expect(header).toMatch(/^[1-9]\d*$/);
  expect(Number(header)).toBeGreaterThanOrEqual(least);
  expect(Number(header)).toBeLessThanOrEqual(most);
}

/** What a client is told when healing refuses its request. */
export const refusals: readonly Case[] = [
  {
    title: 'an open circuit: 503, Retry-After in whole seconds, problem+json; the handler does not run',
    async run(lab) {
      const route = counting('GET', '/it/:id');
      const service = await lab.healed(
        { routes: [failsOnDemand(route)] },
        { defaults: { circuit: LASTING } },
      );
      await trip(service, 'route:GET /it/:id', '/it/1');
      const answer = await service.ask('GET', '/it/2');
      expectProblem(answer, 503, { reason: 'circuit-open', target: 'route:GET /it/:id' });
      expect(answer.json().retryAfterMs).toBeGreaterThan(1_000);
      expectRetryAfter(answer, 40, 60);
      expect(route.calls).toBe(0);
      expect(service.inFlight).toBe(0);
    },
  },
  {
    title: 'Retry-After is at least 1, however soon another try makes sense',
    async run(lab) {
      const circuit = { ...LASTING, openMs: 500, maxOpenMs: 500 };
      const service = await lab.healed(
        { routes: [failsOnDemand(counting('GET', '/it'))] },
        { defaults: { circuit } },
      );
      await until('a refusal', async () => {
        const answer = await service.ask('GET', '/it', { 'x-fail': '1' });
        if (answer.status !== 503) return false;
        expectRetryAfter(answer, 1, 1);
        return true;
      });
    },
  },
  {
    title: 'the body is not parsed first: bad JSON to an open circuit is refused, not faulted',
    async run(lab) {
      const route = counting('POST', '/orders');
      const service = await lab.healed({ routes: [route] });
      await service.runtime.target('route:POST /orders').force('open');
      const client = await service.connect();
      const headers = { 'Content-Type': 'application/json' };
      const answer = await client.send(wire('POST', '/orders', { headers, body: '{"x"' })).answer();
      expectProblem(answer, 503, { reason: 'circuit-open' });
      expect(route.calls).toBe(0);
    },
  },
  {
    title: 'a refusal of a HEAD has no body',
    async run(lab) {
      const service = await lab.healed({ routes: [counting('GET', '/it')] });
      await service.runtime.target('route:GET /it').force('open');
      const client = await service.connect();
      const answer = await client.send(wire('HEAD', '/it')).answer('HEAD');
      expect(answer.status).toBe(503);
      expectRetryAfter(answer, 1, 5);
      // The connection is in order: the next answer follows at once.
      expect((await client.send(wire('GET', '/it')).answer()).status).toBe(503);
      expect(client.received.toString().match(/urn:healix/g)).toHaveLength(1);
    },
  },
  {
    title: 'a refused request leaves its connection usable, pipelined ones too',
    async run(lab) {
      const service = await lab.healed({ routes: [counting('GET', '/closed'), counting('GET', '/open')] });
      await service.runtime.target('route:GET /open').force('open');
      const client = await service.connect();
      client.send(['/open', '/closed', '/open', '/closed'].map((path) => wire('GET', path)).join(''));
      const statuses = [];
      for (let i = 0; i < 4; i++) statuses.push((await client.answer()).status);
      expect(statuses).toEqual([503, 200, 503, 200]);
      expect(client.ended).toBe(false);
    },
  },
  {
    title: 'too many in flight: 503, and served again once one has ended',
    async run(lab) {
      const gate = new Gate();
      let entered = 0;
      const service = await lab.healed(
        {
          routes: [
            {
              method: 'GET',
              path: '/busy',
              handler: async (call) => {
                entered++;
                await gate.passed;
                return call.send({ body: 'x' });
              },
            },
          ],
        },
        { defaults: { policy: { concurrency: 2 } } },
      );
      const held = [await service.connect(), await service.connect()];
      for (const client of held) client.send(wire('GET', '/busy'));
      await until('both to be in the handler', () => entered === 2);
      const answer = await service.ask('GET', '/busy');
      expectProblem(answer, 503, { reason: 'concurrency', target: 'route:GET /busy' });
      expectRetryAfter(answer, 1, 1);
      expect(entered).toBe(2);
      gate.open();
      for (const client of held) expect((await client.answer()).status).toBe(200);
      expect((await service.ask('GET', '/busy')).status).toBe(200);
    },
  },
  {
    title: 'too many over time: 429',
    async run(lab) {
      const route = counting('GET', '/often');
      const policy = { rate: { calls: 2, perMs: 60_000 } };
      const service = await lab.healed({ routes: [route] }, { defaults: { policy } });
      for (let i = 0; i < 2; i++) expect((await service.ask('GET', '/often')).status).toBe(200);
      const answer = await service.ask('GET', '/often');
      expectProblem(answer, 429, { reason: 'rate', target: 'route:GET /often' });
      expectRetryAfter(answer, 20, 60);
      expect(route.calls).toBe(2);
      await service.booked('route:GET /often', { success: 2, refused: 1 });
    },
  },
  {
    title: 'denied by policy: 403 or as configured, without Retry-After',
    async run(lab) {
      const routes = [counting('GET', '/denied'), counting('GET', '/gone'), counting('DELETE', '/methods')];
      const service = await lab.healed(
        { routes },
        {
          targets: {
            'route:GET /denied': { policy: { deny: 'closed for the night' } },
            'route:GET /gone': { policy: { deny: 'moved', denyStatus: 410 } },
            'route:DELETE /methods': { policy: { denyMethods: ['DELETE'] } },
          },
        },
      );
      const denied = await service.ask('GET', '/denied');
      expectProblem(denied, 403, { reason: 'policy', detail: 'closed for the night' });
      expect(denied.header('retry-after')).toBeUndefined();
      expectProblem(await service.ask('GET', '/gone'), 410, { reason: 'policy' });
      expectProblem(await service.ask('DELETE', '/methods'), 403, { reason: 'policy' });
      expect(routes.map(({ calls }) => calls)).toEqual([0, 0, 0]);
    },
  },
  {
    title: 'a refused upload: Connection: close, and most of it is never read',
    async run(lab) {
      const route = counting('POST', '/upload');
      const service = await lab.healed({ routes: [route] });
      await service.runtime.target('route:POST /upload').force('open');
      const size = 50 << 20;
      const client = await service.connect();
      const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': String(size) };
      client.send(wire('POST', '/upload', { headers }));
      const chunk = Buffer.alloc(64 << 10);
      // As curl does it: to write on whatever comes back, as fast as the server takes it.
      for (let sent = 0; sent < size && !client.ended; sent += chunk.length) {
        if (!client.socket.write(chunk)) await Promise.race([drained(client.socket), pause(50)]);
      }
      const answer = await client.answer();
      expectProblem(answer, 503, { reason: 'circuit-open' });
      expect(answer.header('connection')).toBe('close');
      expect(service.bytesRead).toBeLessThan(1 << 20);
      expect(route.calls).toBe(0);
    },
  },
  {
    title: 'a small body that has come in full does not cost the connection',
    async run(lab) {
      const service = await lab.healed({ routes: [counting('POST', '/orders'), counting('GET', '/next')] });
      await service.runtime.target('route:POST /orders').force('open');
      const client = await service.connect();
      const answer = await client.send(wireJson('/orders', { n: 1 })).answer();
      expect(answer.status).toBe(503);
      if (answer.header('connection') === 'close') await client.whole();
      else expect((await client.send(wire('GET', '/next')).answer()).status).toBe(200);
    },
  },
];

function drained(socket: NodeJS.WritableStream): Promise<unknown> {
  return new Promise((resolve) => socket.once('drain', resolve));
}
