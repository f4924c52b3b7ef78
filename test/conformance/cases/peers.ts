import { expect } from 'vitest';
import type { Case } from '../harness/case.ts';
import { FAIL, failsOnDemand, halfOpen, LASTING, QUICK, trip } from '../harness/circuits.ts';
import { wire } from '../harness/raw-client.ts';
import type { Handler, RouteSpec } from '../harness/subject.ts';
import { Gate, until } from '../harness/wait.ts';

const NAME = 'route:GET /it';
const MANY = 50;

function get(path: string, handler: Handler = (call) => call.send({ body: 'x' })): RouteSpec {
  return failsOnDemand({ method: 'GET', path, handler });
}

/** Waits at a gate where the request says so, and counts who came to it. */
function waiting(gate: Gate): RouteSpec & { entered: number } {
  const route = {
    ...get('/it', async (call) => {
      if (call.req.headers['x-wait']) {
        route.entered++;
        await gate.passed;
      }
      return call.send({ body: 'at last' });
    }),
    entered: 0,
  };
  return route;
}

const WAIT = wire('GET', '/it', { headers: { 'X-Wait': '1' } });

/** What other libraries get wrong, each named by who does, where a service and its clients are needed to show it. */
export const peers: readonly Case[] = [
  {
    title: '@fastify/circuit-breaker 4: of 600 routes none forgets that it is open, or forced',
    async run(lab) {
      const routes = Array.from({ length: 600 }, (_, i) => get(`/r${i}`));
      const service = await lab.healed({ routes }, { defaults: { circuit: LASTING } });
      await trip(service, 'route:GET /r0', '/r0');
      await service.http.get('/r1').expect(200);
      await service.runtime.target('route:GET /r1').force('open');
      const client = await service.connect();
      for (let from = 2; from < routes.length; from += MANY) {
        const some = routes.slice(from, from + MANY);
        client.send(some.map(({ path }) => wire('GET', path as string)).join(''));
        for (const _ of some) expect((await client.answer()).status).toBe(200);
      }
      for (const path of ['/r0', '/r1']) expect((await service.ask('GET', path)).status).toBe(503);
    },
  },
  {
    title: 'opossum 10: refusals are no calls; after 500 of them and a good probe it opens by the same rule',
    async run(lab) {
      const circuit = { ...QUICK, openMs: 1_000, maxOpenMs: 1_000 };
      const service = await lab.healed({ routes: [get('/it')] }, { defaults: { circuit } });
      await trip(service, NAME, '/it');
      await service.runtime.target(NAME).force('open');
      const client = await service.connect();
      for (let asked = 0; asked < 500; asked += MANY) {
        client.send(wire('GET', '/it').repeat(MANY));
        for (let i = 0; i < MANY; i++) expect((await client.answer()).status).toBe(503);
      }
      await service.runtime.target(NAME).force(null);
      await until('a good probe', async () => (await service.ask('GET', '/it')).status === 200);
      await until('it to close', () => service.status(NAME)?.state === 'closed');
      const failures = () => service.status(NAME)?.counts.failure ?? 0;
      const before = failures();
      await until('it to open', async () => {
        await service.ask('GET', '/it', FAIL);
        return service.status(NAME)?.state === 'open';
      });
      // Three are enough; some may have ended over a blocked event loop.
      expect(failures() - before).toBeLessThan(20);
    },
  },
  {
    title: 'opossum 10: a probe that never ends does not refuse all others for ever',
    async run(lab) {
      const route = waiting(new Gate());
      const circuit = { ...QUICK, probeTimeoutMs: 100 };
      const service = await lab.healed({ routes: [route] }, { defaults: { circuit } });
      await halfOpen(service, NAME, '/it');
      const client = await service.connect();
      client.send(WAIT);
      await until('the probe to run', () => route.entered === 1);
      await until('another to be let in', async () => (await service.ask('GET', '/it')).status === 200);
      await until('it to close', () => service.status(NAME)?.state === 'closed');
      expect(client.ended).toBe(false);
    },
  },
  {
    title: 'opossum 10: the signal of one late request leaves those beside it alone',
    async run(lab) {
      const signals: AbortSignal[] = [];
      const gate = new Gate();
      const handler: Handler = async (call) => {
        if (call.healing) signals.push(call.healing.signal);
        await gate.passed;
        return call.send({ body: 'x' });
      };
      const route = { ...get('/late/:ms', handler), healing: { deadlineMs: 100 } };
      const service = await lab.healed({ routes: [route, get('/it', handler)] });
      const clients = [await service.connect(), await service.connect()];
      clients[0]?.send(wire('GET', '/late/1'));
      await until('the late one', () => signals.length === 1);
      clients[1]?.send(wire('GET', '/it'));
      await until('the other one', () => signals.length === 2);
      await until('the first to be late', () => signals[0]?.aborted === true);
      expect(signals[1]?.aborted).toBe(false);
      gate.open();
      expect((await clients[1]?.answer())?.status).toBe(200);
    },
  },
  {
    title: 'cockatiel 4: requests beyond a hung probe are refused at once, none is queued',
    async run(lab) {
      const gate = new Gate();
      const route = waiting(gate);
      const service = await lab.healed({ routes: [route] }, { defaults: { circuit: QUICK } });
      await halfOpen(service, NAME, '/it');
      const client = await service.connect();
      client.send(WAIT);
      await until('the probe to run', () => route.entered === 1);
      const other = await service.connect();
      other.send(WAIT.repeat(MANY));
      for (let i = 0; i < MANY; i++) expect((await other.answer()).status).toBe(503);
      expect(route.entered).toBe(1);
      expect(service.inFlight).toBe(1);
      gate.open();
      expect((await client.answer()).status).toBe(200);
    },
  },
  {
    title: 'gobreaker 2: no lock around the handler; requests of one route run beside each other',
    async run(lab) {
      const gate = new Gate();
      const route = waiting(gate);
      const service = await lab.healed({ routes: [route] });
      const clients = await Promise.all(Array.from({ length: MANY }, () => service.connect()));
      for (const client of clients) client.send(WAIT);
      await until('all to be in the handler', () => route.entered === MANY);
      gate.open();
      for (const client of clients) expect((await client.answer()).status).toBe(200);
    },
  },
  {
    title: 'resilience4ts: a half-open circuit binds its limit, however many come at once',
    async run(lab) {
      const gate = new Gate();
      const route = waiting(gate);
      const service = await lab.healed(
        { routes: [route] },
        { defaults: { circuit: { ...QUICK, probes: 3 } } },
      );
      await halfOpen(service, NAME, '/it');
      const clients = await Promise.all(Array.from({ length: MANY }, () => service.connect()));
      for (const client of clients) client.send(WAIT);
      await until(
        'all but the probes to be refused',
        () => service.status(NAME)?.counts.refused === MANY - 3,
      );
      expect(route.entered).toBe(3);
      gate.open();
      const answers = await Promise.all(clients.map((client) => client.answer()));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
    },
  },
];
