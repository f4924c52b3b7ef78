import { METHODS as ALL_METHODS } from 'node:http';
import { expect } from 'vitest';
import type { Case } from '../harness/case.ts';
import { wire } from '../harness/raw-client.ts';
import type { Service } from '../harness/service.ts';
import type { Handler, MountSpec, RouteSpec } from '../harness/subject.ts';

/** CONNECT comes to no handler. */
const METHODS = ALL_METHODS.filter((method) => method !== 'CONNECT');

const ok: Handler = (call) => call.send({ body: { params: call.params } });
const get = (path: RouteSpec['path']): RouteSpec => ({ method: 'GET', path, handler: ok });
const router = (prefix: string, routes: RouteSpec[], mounts: MountSpec[] = []): MountSpec => ({
  prefixes: [prefix],
  kind: 'router',
  routes,
  mounts,
});

/** Asks for each path, all at once on one connection. */
async function askMany(service: Service, paths: readonly string[]): Promise<void> {
  const client = await service.connect();
  client.send(paths.map((path) => wire('GET', path)).join(''));
  for (const _ of paths) await client.answer();
  client.leave();
}

/** Requests are booked under the pattern of the route that took them. */
export const names: readonly Case[] = [
  {
    title: 'the pattern, not the path; HEAD shares the name of GET',
    async run(lab) {
      const service = await lab.healed({ routes: [get('/orgs/:org/users/:id'), get('/')] });
      await service.http.get('/orgs/a/users/1').expect(200, { params: { org: 'a', id: '1' } });
      await service.http.get('/orgs/b/users/2?x=1').expect(200);
      await service.http.head('/orgs/c/users/3').expect(200);
      await service.http.get('/').expect(200);
      await service.booked('route:GET /orgs/:org/users/:id', { success: 3 });
      await service.booked('route:GET /', { success: 1 });
      expect(service.names).toHaveLength(2);
    },
  },
  {
    title: 'a value that equals a literal of the pattern',
    async run(lab) {
      const service = await lab.healed({ routes: [get('/orgs/:org'), get('/orgs/:org/orgs')] });
      await service.http.get('/orgs/orgs').expect(200);
      await service.http.get('/orgs/orgs/orgs').expect(200);
      await service.booked('route:GET /orgs/:org', { success: 1 });
      await service.booked('route:GET /orgs/:org/orgs', { success: 1 });
    },
  },
  {
    title: 'the method is part of the name',
    async run(lab) {
      const service = await lab.healed({
        routes: [
          { method: 'POST', path: '/one', handler: ok },
          { method: 'DELETE', path: '/one', handler: ok },
        ],
      });
      await service.http.post('/one').expect(200);
      await service.http.delete('/one').expect(200);
      for (const name of ['POST /one', 'DELETE /one']) await service.booked(`route:${name}`, { success: 1 });
    },
  },
  {
    title: 'whoever tries all methods makes no names: a route that takes them all has one',
    async run(lab) {
      const service = await lab.healed({
        routes: [{ method: 'ALL', path: '/any/:id', handler: ok }, get('/one')],
        mounts: [router('/in', [{ method: 'ALL', path: '/any', handler: ok }])],
      });
      for (const method of METHODS) {
        for (const path of ['/any/1', '/in/any', '/one', '/none']) await service.ask(method, path);
      }
      expect(service.names).toEqual([
        'route:* /any/:id',
        'route:* /in/any',
        'route:GET /one',
        'route:unmatched',
      ]);
      expect(service.status('route:* /any/:id')?.counts.success).toBeGreaterThanOrEqual(7);
    },
  },
  {
    title: 'nested mounts: the whole pattern',
    async run(lab) {
      const service = await lab.healed({
        mounts: [router('/api', [get('/users/:id')], [router('/v1/:tenant', [get('/users/:id')])])],
      });
      await service.http.get('/api/users/1').expect(200);
      await service.http.get('/api/v1/acme/users/1').expect(200, { params: { tenant: 'acme', id: '1' } });
      await service.booked('route:GET /api/users/:id', { success: 1 });
      await service.booked('route:GET /api/v1/:tenant/users/:id', { success: 1 });
    },
  },
  {
    title: 'one router under two mounts has two names',
    async run(lab) {
      const service = await lab.healed({
        mounts: [{ prefixes: ['/left', '/right'], kind: 'router', routes: [get('/things/:id')] }],
      });
      await service.http.get('/left/things/1').expect(200);
      await service.http.get('/right/things/1').expect(200);
      await service.http.get('/right/things/2').expect(200);
      await service.booked('route:GET /left/things/:id', { success: 1 });
      await service.booked('route:GET /right/things/:id', { success: 2 });
    },
  },
  {
    title: 'no route, and no route for the method: route:unmatched',
    async run(lab) {
      const service = await lab.healed({ routes: [get('/here/:id')] });
      await service.http.get('/nowhere').expect(404);
      await service.http.delete('/here/1').expect(404);
      await service.booked('route:unmatched', { success: 2 });
      expect(service.names).toEqual(['route:unmatched']);
    },
  },
  {
    title: 'a path that cannot be decoded does no harm',
    async run(lab) {
      const service = await lab.healed({ routes: [get('/here/:id')] });
      for (let i = 0; i < 3; i++) expect((await service.ask('GET', '/here/%zz')).status).toBeLessThan(500);
      await service.http.get('/here/1').expect(200);
      expect(service.names.length).toBeLessThanOrEqual(2);
    },
  },
  {
    title: 'ten thousand different URLs leave few names',
    async run(lab) {
      const service = await lab.healed({
        routes: [get('/users/:id')],
        mounts: [router('/sub', [get('/:a/x')])],
      });
      for (let batch = 0; batch < 20; batch++) {
        const ids = Array.from({ length: 125 }, (_, i) => `${batch}-${i}`);
        const paths = ids.flatMap((id) => [`/users/${id}`, `/sub/${id}/x`, `/sub/${id}`, `/${id}?q=${id}`]);
        await askMany(service, paths);
      }
      await service.booked('route:GET /users/:id', { success: 2_500 });
      await service.booked('route:GET /sub/:a/x', { success: 2_500 });
      await service.booked('route:unmatched', { success: 5_000 });
      expect(service.names).toHaveLength(3);
    },
  },
  {
    title: 'ten thousand different URLs below a mount that nobody can see into leave few names',
    needs: ['closure-mounts'],
    async run(lab) {
      const service = await lab.healed({
        mounts: [{ prefixes: ['/hidden'], kind: 'closure', routes: [get('/:a/x')] }],
      });
      for (let batch = 0; batch < 20; batch++) {
        await askMany(
          service,
          Array.from({ length: 500 }, (_, i) => `/hidden/${batch}-${i}/x`),
        );
      }
      expect(service.names.length).toBeLessThanOrEqual(3);
    },
  },
  {
    title: 'a URL that is rewritten is named by the route that took it',
    async run(lab) {
      const service = await lab.healed({
        routes: [get('/new/:id'), get('/other')],
        rewrite: (url) => url.replace(/^\/old\//, '/new/'),
      });
      await service.http.get('/old/1').expect(200, { params: { id: '1' } });
      await service.http.get('/new/2').expect(200);
      await service.booked('route:GET /new/:id', { success: 2 });
    },
  },
  {
    title: 'a route with several paths',
    needs: ['array-paths'],
    async run(lab) {
      const service = await lab.healed({ routes: [get(['/colour/:id', '/color/:id'])] });
      await service.http.get('/colour/1').expect(200);
      await service.http.get('/color/1').expect(200);
      await service.booked('route:GET /colour/:id', { success: 1 });
      await service.booked('route:GET /color/:id', { success: 1 });
    },
  },
  {
    title: 'a route by a regular expression has one name',
    needs: ['regexp-paths'],
    async run(lab) {
      const service = await lab.healed({ routes: [get(/^\/files\/(.+)$/)] });
      for (const file of ['a', 'b/c', 'd']) await service.http.get(`/files/${file}`).expect(200);
      expect(service.names).toHaveLength(1);
      await service.booked(service.names[0] as string, { success: 3 });
    },
  },
  {
    title: 'the user names what the path says too little of; a naming that throws is told of',
    async run(lab) {
      const service = await lab.healed(
        { routes: [get('/graphql'), get('/plain')] },
        {},
        {
          name(req) {
            if (req.headers['x-throw']) throw new Error('no name');
            return req.headers['x-operation'] as string | undefined;
          },
        },
      );
      await service.http.get('/graphql').set('x-operation', 'query Users').expect(200);
      await service.http.get('/graphql').set('x-operation', 'route:Named').expect(200);
      await service.http.get('/graphql').expect(200);
      await service.http.get('/plain').set('x-throw', '1').expect(200);
      for (const name of ['query Users', 'Named', 'GET /graphql', 'GET /plain']) {
        await service.booked(`route:${name}`, { success: 1 });
      }
      expect(service.runtime.status().callbackErrors).toHaveLength(1);
    },
  },
  {
    title: 'names that the user makes without end are bounded',
    async run(lab) {
      const maxNames = 20;
      const service = await lab.healed(
        { routes: [get('/tenants/:id')] },
        {},
        {
          maxNames,
          name: (req) => `tenant ${req.url}`,
        },
      );
      await askMany(
        service,
        Array.from({ length: 200 }, (_, i) => `/tenants/${i}`),
      );
      expect(service.names.length).toBeLessThanOrEqual(maxNames + 1);
      expect(service.status('route:other')?.counts.success).toBeGreaterThanOrEqual(179);
    },
  },
];
