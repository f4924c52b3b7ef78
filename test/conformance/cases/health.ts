import { expect } from 'vitest';
import type { Case } from '../harness/case.ts';
import { wire } from '../harness/raw-client.ts';
import type { RouteSpec } from '../harness/subject.ts';
import { Gate, until } from '../harness/wait.ts';

const route: RouteSpec = { method: 'GET', path: '/it/:id', handler: (call) => call.send({ body: 'x' }) };
const METRIC =
  /^[a-z_]+(\{[a-z]+="(\\.|[^"\\])*"(,[a-z]+="(\\.|[^"\\])*")*\})? -?(\d+(\.\d+)?(e[+-]?\d+)?|NaN|\+Inf)$/;

/** Health for people and probes. */
export const health: readonly Case[] = [
  {
    title: 'JSON of the process; /live; /ready, which falls with close()',
    async run(lab) {
      const runtime = lab.runtime();
      const service = await lab.healed(
        { routes: [route], health: { path: '/health', runtime } },
        {},
        { runtime },
      );
      const answer = await service.ask('GET', '/health');
      expect(answer.status).toBe(200);
      expect(answer.header('content-type')).toMatch(/^application\/json/);
      expect(answer.header('cache-control')).toBe('no-store');
      expect(answer.json()).toEqual({ status: 'healthy', reasons: [] });
      expect((await service.ask('GET', '/health/live')).status).toBe(200);
      expect((await service.ask('GET', '/health/ready')).status).toBe(200);
      const head = await service.ask('HEAD', '/health/ready');
      expect(head).toMatchObject({ status: 200 });
      await runtime.close();
      expect((await service.ask('GET', '/health/ready')).status).toBe(503);
      expect((await service.ask('GET', '/health/live')).status).toBe(200);
      expect((await service.ask('GET', '/it/1')).status).toBe(200);
      expect((await service.ask('GET', '/health/other')).status).toBe(404);
    },
  },
  {
    title: '/metrics is Prometheus text that names the targets',
    async run(lab) {
      const runtime = lab.runtime();
      const service = await lab.healed(
        { routes: [route], health: { path: '/health', runtime } },
        {},
        { runtime },
      );
      await service.http.get('/it/1').expect(200);
      await service.booked('route:GET /it/:id', { success: 1 });
      const answer = await service.ask('GET', '/health/metrics');
      expect(answer.header('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
      const lines = answer.body.toString().trimEnd().split('\n');
      for (const line of lines) if (!/^(# (HELP|TYPE) |$)/.test(line)) expect(line).toMatch(METRIC);
      expect(lines).toContain('healix_calls_total{target="route:GET /it/:id",outcome="success"} 1');
    },
  },
  {
    title: 'details only where they were chosen at construction, never by a query',
    async run(lab) {
      for (const details of [false, true]) {
        const runtime = lab.runtime();
        const spec = { routes: [route], health: { path: '/health', runtime, details } };
        const service = await lab.healed(spec, {}, { runtime });
        await service.http.get('/it/1').expect(200);
        for (const query of ['', '?details', '?details=true', '?details=1']) {
          const told = (await service.ask('GET', `/health${query}`)).json();
          expect('targets' in told).toBe(details);
        }
      }
    },
  },
  {
    title: 'without details it says no more than which targets are not well, and why',
    async run(lab) {
      const runtime = lab.runtime();
      const spec = { routes: [route], health: { path: '/health', runtime } };
      const service = await lab.healed(spec, {}, { runtime });
      await service.http.get('/it/1').expect(200);
      await runtime.target('upstream:db').force('open', { reason: 'ticket 812' });
      expect((await service.ask('GET', '/health')).json()).toEqual({
        status: 'critical',
        reasons: ['upstream:db: the circuit is forced open: ticket 812; the circuit is open'],
      });
    },
  },
  {
    title: 'answers while everything else is refused or full, and is no target itself',
    async run(lab) {
      const gate = new Gate();
      let entered = 0;
      const busy: RouteSpec = {
        ...route,
        path: '/busy',
        handler: async (call) => {
          entered++;
          await gate.passed;
          return call.send({ body: 'x' });
        },
      };
      const runtime = lab.runtime({ defaults: { policy: { concurrency: 1 } } });
      const service = await lab.healed(
        { routes: [route, busy], health: { path: '/health', runtime } },
        {},
        { runtime },
      );
      const client = await service.connect();
      client.send(wire('GET', '/busy'));
      await until('the route to be full', () => entered === 1);
      expect((await service.ask('GET', '/busy')).status).toBe(503);
      for (const path of ['', '/live', '/ready', '/metrics']) {
        expect((await service.ask('GET', `/health${path}`)).status).toBe(200);
      }
      gate.open();
      await client.answer();
      expect(service.names).toEqual(['route:GET /busy']);
    },
  },
  {
    title: 'answers where the policy denies every call',
    async run(lab) {
      const runtime = lab.runtime({ defaults: { policy: { deny: 'closed' } } });
      const service = await lab.healed(
        { routes: [route], health: { path: '/up', runtime } },
        {},
        { runtime },
      );
      expect((await service.ask('GET', '/it/1')).status).toBe(403);
      for (const path of ['', '/live', '/ready', '/metrics']) {
        expect((await service.ask('GET', `/up${path}`)).status).toBe(200);
      }
    },
  },
  {
    title: 'what is no GET at its path is a call like others',
    async run(lab) {
      const runtime = lab.runtime();
      const service = await lab.healed(
        { routes: [{ ...route, method: 'POST', path: '/health' }], health: { path: '/health', runtime } },
        {},
        { runtime },
      );
      await runtime.target('route:POST /health').force('open');
      expect((await service.ask('POST', '/health')).status).toBe(503);
      expect((await service.ask('GET', '/health')).status).toBe(200);
    },
  },
  {
    title: 'a preflight is answered while its route is refused; a plain OPTIONS is a call like others',
    async run(lab) {
      const options: RouteSpec = {
        method: 'OPTIONS',
        path: '/it/:id',
        handler: (call) => call.send({ status: 204, headers: { 'access-control-allow-origin': '*' } }),
      };
      const service = await lab.healed(
        { routes: [route, options] },
        { defaults: { policy: { deny: 'closed' } } },
      );
      const preflight = { Origin: 'https://a.example', 'Access-Control-Request-Method': 'PUT' };
      expect((await service.ask('OPTIONS', '/it/1', preflight)).status).toBe(204);
      expect((await service.ask('OPTIONS', '/it/1')).status).toBe(403);
      expect((await service.ask('GET', '/it/1', preflight)).status).toBe(403);
    },
  },
];
