import type { Healing, TargetOptions } from '@healix/core';
import { expect } from 'vitest';
import type { Case } from '../harness/case.ts';
import { failsOnDemand, LASTING, trip } from '../harness/circuits.ts';
import { wire } from '../harness/raw-client.ts';
import type { RouteSpec } from '../harness/subject.ts';

const route = (path: string, healing?: RouteSpec['healing']): RouteSpec => ({
  method: 'GET',
  path,
  handler: (call) => call.send({ body: 'x' }),
  ...(healing && { healing }),
});
const deny = (why: string): TargetOptions => ({ policy: { deny: why } });

/** Where settings come from, and which of them wins. */
export const settings: readonly Case[] = [
  {
    title: 'settings beside a route are its own, read before it is admitted',
    async run(lab) {
      const service = await lab.healed({
        routes: [route('/closed', deny('beside the route')), route('/open')],
      });
      const refused = await service.ask('GET', '/closed');
      expect(refused.json()).toMatchObject({ status: 403, detail: 'beside the route' });
      await service.http.get('/open').expect(200);
      await service.booked('route:GET /closed', { refused: 1 });
    },
  },
  {
    title: 'settings beside a route work inside mounts',
    async run(lab) {
      const service = await lab.healed({
        mounts: [{ prefixes: ['/api'], kind: 'router', routes: [route('/closed/:id', deny('inside'))] }],
      });
      expect((await service.ask('GET', '/api/closed/1')).status).toBe(403);
    },
  },
  {
    title:
      "precedence: runtime's defaults < match < exact name < adapter's defaults < beside the route < update",
    async run(lab) {
      const names = ['a', 'b', 'c', 'd', 'e'];
      const service = await lab.healed(
        {
          routes: names.map((name) =>
            route(`/${name}`, name === 'd' || name === 'e' ? deny('route') : undefined),
          ),
        },
        {
          defaults: deny('defaults'),
          targets: {
            some: { match: 'route:GET /[bcde]'.replace('[bcde]', '*'), ...deny('match') },
            'route:GET /c': deny('exact'),
            'route:GET /d': deny('exact'),
          },
        },
      );
      service.runtime.target('route:GET /e').update(deny('update'));
      const details: Record<string, unknown> = {};
      for (const name of [...names, 'nowhere/else']) {
        details[name] = (await service.ask('GET', `/${name}`)).json().detail;
      }
      expect(details).toEqual({
        a: 'match',
        b: 'match',
        c: 'exact',
        d: 'route',
        e: 'update',
        'nowhere/else': 'defaults',
      });
    },
  },
  {
    title: "the adapter's own settings are for all its routes, under those beside a route",
    async run(lab) {
      const service = await lab.healed(
        { routes: [route('/plain'), route('/own', deny('route'))] },
        {},
        deny('adapter'),
      );
      expect((await service.ask('GET', '/plain')).json().detail).toBe('adapter');
      expect((await service.ask('GET', '/own')).json().detail).toBe('route');
    },
  },
  {
    title: 'a wrong setting beside a route is a ConfigError that names it, before the server starts',
    async run(lab) {
      const wrong = { deadlineMs: 'soon' } as unknown as TargetOptions;
      await expect(lab.healed({ routes: [route('/it', wrong)] })).rejects.toMatchObject({
        code: 'HEALIX_CONFIG',
        path: expect.stringContaining('deadlineMs'),
        given: 'soon',
      });
      const unknown = { deadlinMs: 10 } as TargetOptions;
      await expect(lab.healed({ routes: [route('/it', unknown)] })).rejects.toMatchObject({
        code: 'HEALIX_CONFIG',
        message: expect.stringContaining('deadlineMs'),
      });
    },
  },
  {
    title: "a wrong setting of the adapter's is a ConfigError",
    async run(lab) {
      const wrong = { maxNames: 0 };
      await expect(lab.healed({ routes: [route('/it')] }, {}, wrong)).rejects.toMatchObject({
        code: 'HEALIX_CONFIG',
        path: 'maxNames',
      });
      const health = { path: '/health', runtime: 'none' as unknown as Healing };
      await expect(lab.healed({ health })).rejects.toMatchObject({ code: 'HEALIX_CONFIG', path: 'runtime' });
    },
  },
  {
    title: 'an exempt route is never refused, and still measured',
    async run(lab) {
      const service = await lab.healed({
        routes: [failsOnDemand(route('/vital', { exempt: true, circuit: LASTING, ...deny('never') }))],
      });
      for (let i = 0; i < 10; i++) {
        expect((await service.ask('GET', '/vital', { 'x-fail': '1' })).status).toBe(500);
      }
      await service.booked('route:GET /vital', { failure: 10 });
      expect((await service.ask('GET', '/vital')).status).toBe(200);
    },
  },
  {
    title: 'heal() beside a route heals it without healing()',
    needs: ['standalone-heal'],
    async run(lab) {
      const runtime = lab.runtime();
      const service = await lab.as(
        {
          routes: [failsOnDemand(route('/own/:id', { runtime, circuit: LASTING })), route('/not')],
          mounts: [
            {
              prefixes: ['/sub'],
              kind: 'router',
              routes: [route('/own/:id', { runtime, ...deny('inside') })],
            },
          ],
        },
        runtime,
      );
      await service.http.get('/own/1').expect(200);
      await service.http.get('/not').expect(200);
      await service.booked('route:GET /own/:id', { success: 1 });
      expect(service.names).toEqual(['route:GET /own/:id']);
      expect((await service.ask('GET', '/sub/own/1')).json()).toMatchObject({
        status: 403,
        target: 'route:GET /sub/own/:id',
      });
    },
  },
  {
    title: 'heal() without healing() opens its circuit, refuses, and gives every permit back',
    needs: ['standalone-heal'],
    async run(lab) {
      const runtime = lab.runtime();
      let entered = 0;
      const hangs: RouteSpec = {
        method: 'GET',
        path: '/hangs',
        healing: { runtime },
        handler: () => {
          entered++;
          return new Promise(() => {});
        },
      };
      const own = failsOnDemand(route('/own', { runtime, circuit: LASTING }));
      const service = await lab.as(
        { routes: [{ ...own, healing: { runtime, circuit: LASTING } }, hangs] },
        runtime,
      );
      await trip(service, 'route:GET /own', '/own');
      const refused = await service.ask('GET', '/own');
      expect(refused.status).toBe(503);
      expect(refused.header('content-type')).toMatch(/problem\+json/);
      const client = await service.connect();
      client.send(wire('GET', '/hangs'));
      await expect.poll(() => entered).toBe(1);
      expect(service.inFlight).toBe(1);
      client.leave();
      await service.booked('route:GET /hangs', { ignored: 1 });
    },
  },
];
