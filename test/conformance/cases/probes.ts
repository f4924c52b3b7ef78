import { PassThrough } from 'node:stream';
import { expect } from 'vitest';
import type { Case } from '../harness/case.ts';
import { failsOnDemand, halfOpen, QUICK } from '../harness/circuits.ts';
import { wire } from '../harness/raw-client.ts';
import type { Service } from '../harness/service.ts';
import type { Handler, RouteSpec } from '../harness/subject.ts';
import { until } from '../harness/wait.ts';

const NAME = 'route:GET /it';
const options = { defaults: { circuit: QUICK } };

/** A route that does as its query says. */
function routed(how: Record<string, Handler>): RouteSpec {
  return failsOnDemand({
    method: 'GET',
    path: '/it',
    handler: (call) => {
      const chosen = how[call.req.url?.split('?')[1] ?? ''];
      return chosen === undefined ? call.send({ body: 'fine' }) : chosen(call);
    },
  });
}

/** The one place for a probe is free: the next request is let in, and closes the circuit. */
async function expectFreePlace(service: Service): Promise<void> {
  await until('the next request to be let in', async () => (await service.ask('GET', '/it')).status === 200);
  await until('the circuit to close', () => service.status(NAME)?.state === 'closed');
}

/** A half-open circuit gets every place for a probe back, and never wedges. */
export const probes: readonly Case[] = [
  {
    title: 'a good answer closes the circuit, a bad one opens it anew',
    async run(lab) {
      const service = await lab.healed({ routes: [routed({})] }, options);
      await halfOpen(service, NAME, '/it');
      expect((await service.ask('GET', '/it', { 'x-fail': '1' })).status).toBe(500);
      await until('it to be open, or half-open again', () => service.status(NAME)?.state !== 'closed');
      await until('half-open', () => service.status(NAME)?.state === 'half-open');
      await expectFreePlace(service);
    },
  },
  {
    title: 'while the probe is under way, others are refused',
    async run(lab) {
      let enter = 0;
      let finish: (() => void) | undefined;
      const waits: Handler = async (call) => {
        enter++;
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        return call.send({ body: 'at last' });
      };
      const service = await lab.healed({ routes: [routed({ waits })] }, options);
      await halfOpen(service, NAME, '/it');
      const client = await service.connect();
      client.send(wire('GET', '/it?waits'));
      await until('the probe to run', () => enter === 1);
      for (let i = 0; i < 3; i++) expect((await service.ask('GET', '/it')).status).toBe(503);
      finish?.();
      expect((await client.answer()).status).toBe(200);
      await expectFreePlace(service);
    },
  },
  {
    title: 'a probe whose client leaves gives its place back',
    async run(lab) {
      let entered = 0;
      const hangs: Handler = () => {
        entered++;
        return new Promise(() => {});
      };
      const service = await lab.healed({ routes: [routed({ hangs })] }, options);
      await halfOpen(service, NAME, '/it');
      const client = await service.connect();
      client.send(wire('GET', '/it?hangs'));
      await until('the probe to run', () => entered === 1);
      expect((await service.ask('GET', '/it')).status).toBe(503);
      client.leave();
      await expectFreePlace(service);
    },
  },
  {
    title: 'a probe that is taken over gives its place back, however long it is held',
    async run(lab) {
      const takes: Handler = (call) => {
        call.takeOver();
        call.req.socket.write('HTTP/1.1 200 OK\r\n\r\nheld');
      };
      const service = await lab.healed({ routes: [routed({ takes })] }, options);
      await halfOpen(service, NAME, '/it');
      const client = await service.connect();
      await client.send(wire('GET', '/it?takes')).has('held');
      await expectFreePlace(service);
    },
  },
  {
    title: 'a probe that turns into an event stream gives its place back',
    async run(lab) {
      const streams: Handler = (call) => {
        const feed = new PassThrough();
        feed.write('data: begun\n\n');
        return call.send({ headers: { 'content-type': 'text/event-stream' }, body: feed });
      };
      const service = await lab.healed({ routes: [routed({ streams })] }, options);
      await halfOpen(service, NAME, '/it');
      const client = await service.connect();
      await client.send(wire('GET', '/it?streams')).has('begun');
      await expectFreePlace(service);
    },
  },
  {
    title: 'a probe that turns out to be another route gives its place back',
    needs: ['name-corrections'],
    async run(lab) {
      const other: RouteSpec = { method: 'GET', path: '/other', handler: (call) => call.send({ body: 'x' }) };
      const service = await lab.healed(
        { routes: [routed({}), other], rewrite: (url) => (url === '/it?other' ? '/other' : url) },
        options,
      );
      await halfOpen(service, NAME, '/it');
      expect((await service.ask('GET', '/it?other')).status).toBe(200);
      await service.booked('route:GET /other', { success: 1 });
      expect(service.status(NAME)?.state).toBe('half-open');
      expect(service.runtime.status().coverage.namesCorrected).toBeGreaterThanOrEqual(1);
      await expectFreePlace(service);
    },
  },
];
