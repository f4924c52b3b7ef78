import { expect } from 'vitest';
import type { Case } from '../harness/case.ts';
import type { Service } from '../harness/service.ts';
import type { Call, MountSpec, RouteSpec } from '../harness/subject.ts';

/** A route that says how many permits it runs under. */
function permits(service: () => Service, path = '/it/:id'): RouteSpec {
  return {
    method: 'GET',
    path,
    handler: (call: Call) => call.send({ body: { inFlight: service().inFlight } }),
  };
}

function inside(kind: MountSpec['kind'], route: RouteSpec, healing: MountSpec['healing']): MountSpec {
  return { prefixes: ['/sub'], kind, routes: [route], ...(healing && { healing }) };
}

/** Healing mounted in several places. */
export const mounts: readonly Case[] = [
  {
    title: 'twice in one place: one permit a request, and one booking',
    async run(lab) {
      const runtime = lab.runtime();
      const service: Service = await lab.as(
        { healing: [{ runtime }, { runtime }], routes: [permits(() => service)] },
        runtime,
      );
      await service.http.get('/it/1').expect(200, { inFlight: 1 });
      await service.http.get('/it/2').expect(200, { inFlight: 1 });
      await service.booked('route:GET /it/:id', { success: 2 });
      expect(runtime.status().coverage.doubleMounts).toBe(2);
    },
  },
  {
    title: 'twice, and refused: one refusal',
    async run(lab) {
      const runtime = lab.runtime();
      const service: Service = await lab.as(
        { healing: [{ runtime }, { runtime }], routes: [permits(() => service)] },
        runtime,
      );
      await runtime.target('route:GET /it/:id').force('open');
      const answer = await service.ask('GET', '/it/1');
      expect(answer.status).toBe(503);
      await service.booked('route:GET /it/:id', { refused: 1 });
    },
  },
  {
    title: 'in the app and in a router or scope: one permit, the whole name',
    async run(lab) {
      const runtime = lab.runtime();
      const service: Service = await lab.as(
        {
          healing: [{ runtime }],
          routes: [permits(() => service)],
          mounts: [
            inside(
              'router',
              permits(() => service),
              [{ runtime }],
            ),
          ],
        },
        runtime,
      );
      await service.http.get('/it/1').expect(200, { inFlight: 1 });
      await service.http.get('/sub/it/1').expect(200, { inFlight: 1 });
      await service.booked('route:GET /it/:id', { success: 1 });
      await service.booked('route:GET /sub/it/:id', { success: 1 });
      expect(runtime.status().coverage.doubleMounts).toBe(1);
    },
  },
  {
    title: 'in a router or scope alone: what is outside is not healed',
    async run(lab) {
      const runtime = lab.runtime();
      const service: Service = await lab.as(
        {
          routes: [permits(() => service)],
          mounts: [
            inside(
              'router',
              permits(() => service),
              [{ runtime }],
            ),
          ],
        },
        runtime,
      );
      await service.http.get('/it/1').expect(200, { inFlight: 0 });
      await service.http.get('/sub/it/1').expect(200, { inFlight: 1 });
      await service.booked('route:GET /sub/it/:id', { success: 1 });
      expect(service.names).toEqual(['route:GET /sub/it/:id']);
    },
  },
  ...(['app', 'closure'] as const).map(
    (kind): Case => ({
      title: `routes of ${kind === 'app' ? 'an app that is mounted' : 'a router behind a function'}: the whole name`,
      needs: [kind === 'app' ? 'sub-apps' : 'closure-mounts'],
      async run(lab) {
        const service: Service = await lab.healed({
          mounts: [
            inside(
              kind,
              permits(() => service),
              undefined,
            ),
          ],
        });
        for (let i = 1; i <= 4; i++) await service.http.get(`/sub/it/${i}`).expect(200, { inFlight: 1 });
        await service.booked('route:GET /sub/it/:id', { success: 4 });
        expect(service.inFlight).toBe(0);
        // The first one may have been admitted under route:unmatched; nothing is booked there.
        expect(service.status('route:unmatched')?.counts.success ?? 0).toBe(0);
      },
    }),
  ),
  {
    title: 'in the app and in an app that is mounted: one permit, the whole name',
    needs: ['sub-apps'],
    async run(lab) {
      const runtime = lab.runtime();
      const service: Service = await lab.as(
        {
          healing: [{ runtime }],
          mounts: [
            inside(
              'app',
              permits(() => service),
              [{ runtime }],
            ),
          ],
        },
        runtime,
      );
      for (let i = 1; i <= 3; i++) await service.http.get(`/sub/it/${i}`).expect(200, { inFlight: 1 });
      await service.booked('route:GET /sub/it/:id', { success: 3 });
    },
  },
];
