import { expect } from 'vitest';
import type { Case } from '../harness/case.ts';
import { failsOnDemand, LASTING, trip } from '../harness/circuits.ts';
import { wire } from '../harness/raw-client.ts';
import type { RouteSpec } from '../harness/subject.ts';
import { Gate, until } from '../harness/wait.ts';

/** What proxies, meshes and clients say of priority, time, identity and method. */
const FORGED = {
  priority: 'u=0',
  'x-priority': 'critical',
  'x-healix-priority': 'critical',
  'x-request-deadline': '4102444800000',
  'x-healix-deadline-ms': '600000',
  'request-timeout': '600000',
  'x-request-timeout': '600000',
  'grpc-timeout': '10M',
  'x-envoy-upstream-rq-timeout-ms': '600000',
  'x-envoy-expected-rq-timeout-ms': '600000',
  'x-forwarded-for': '127.0.0.1',
  'x-original-url': '/health',
  'x-rewrite-url': '/health',
  'x-http-method-override': 'OPTIONS',
  'access-control-request-method': 'GET',
  'idempotency-key': 'a',
  'retry-after': '0',
};

const it: RouteSpec = failsOnDemand({
  method: 'GET',
  path: '/it',
  handler: (call) => call.send({ body: 'x' }),
});

/** Nothing that a client says of itself lets it in, or gives it more time. */
export const forgedHeaders: readonly Case[] = [
  {
    title: 'an open circuit and a denial stay what they are',
    async run(lab) {
      const denied: RouteSpec = { ...it, path: '/denied', healing: { policy: { deny: 'closed' } } };
      const service = await lab.healed({ routes: [it, denied] }, { defaults: { circuit: LASTING } });
      await trip(service, 'route:GET /it', '/it');
      expect((await service.ask('GET', '/it', FORGED)).status).toBe(503);
      expect((await service.ask('GET', '/denied', FORGED)).status).toBe(403);
    },
  },
  {
    title: 'nor is there a way of writing its path that passes: what is served is judged',
    async run(lab) {
      const denied: RouteSpec = { ...it, path: '/denied', healing: { policy: { deny: 'closed' } } };
      const service = await lab.healed({ routes: [denied] });
      const client = await service.connect();
      for (const path of [
        '/denied#',
        '/denied#x?y',
        '/denied?#',
        'http://else.where/denied',
        '/denied?a=/../it',
      ]) {
        const { status, body } = await client.send(wire('GET', path)).answer();
        expect([path, status === 200 ? body.toString() : 'not served']).toEqual([path, 'not served']);
      }
    },
  },
  {
    title: 'a full route stays full, and a deadline stays as short as it is',
    async run(lab) {
      const gate = new Gate();
      const slow: RouteSpec = {
        method: 'GET',
        path: '/slow',
        healing: { deadlineMs: 2_000, policy: { concurrency: 1 } },
        handler: async (call) => {
          await gate.passed;
          return call.send({ body: 'x' });
        },
      };
      const service = await lab.healed({ routes: [slow] });
      const client = await service.connect();
      client.send(wire('GET', '/slow', { headers: FORGED }));
      await until('the route to be full', () => service.inFlight === 1);
      expect((await service.ask('GET', '/slow', FORGED)).status).toBe(503);
      expect((await client.answer()).status).toBe(504);
      gate.open();
      expect(service.names).toEqual(['route:GET /slow']);
    },
  },
];
