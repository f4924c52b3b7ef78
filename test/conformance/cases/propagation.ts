import { isHealixError, type TargetOptions } from '@healix/core';
import { expect } from 'vitest';
import type { Case } from '../harness/case.ts';
import type { Lab } from '../harness/lab.ts';
import { wireJson } from '../harness/raw-client.ts';
import type { Service } from '../harness/service.ts';
import type { Call, RouteSpec } from '../harness/subject.ts';
import { pause, until } from '../harness/wait.ts';

const NAME = 'x-left-ms';
const TRUSTING = { deadlineHeader: { name: NAME, trust: true } };
const never = () => new Promise<never>(() => {});

const slow: RouteSpec = { method: 'GET', path: '/slow', handler: never };
const quick: RouteSpec = { method: 'GET', path: '/quick', handler: (call) => call.send({ body: 'in time' }) };

/** A handler that calls an upstream which never answers, and says how long it was let wait. */
function waits(lab: Lab, before: (call: Call) => unknown = () => {}) {
  const runtime = lab.runtime(TRUSTING);
  const upstream = runtime.target('upstream:silent', { timeoutMs: 60_000 });
  const waited: { ms: number; error: unknown }[] = [];
  const handler = async (call: Call) => {
    await before(call);
    const begun = performance.now();
    const error = await upstream.run(never).catch((error) => error);
    waited.push({ ms: performance.now() - begun, error });
    return call.send({ body: 'too late' });
  };
  const routes: RouteSpec[] = [
    { method: 'GET', path: '/it', handler },
    { method: 'POST', path: '/it', handler },
  ];
  const build = () => lab.healed({ routes }, {}, { runtime });
  return { runtime, upstream, waited, build };
}

async function expect504(service: Service, path: string, header: string) {
  const answer = await service.ask('GET', path, { [NAME]: header });
  expect(answer.status).toBe(504);
  expect(answer.json()).toMatchObject({ reason: 'deadline', target: `route:GET ${path}` });
}

/** What a request's caller says of the time that is left. */
export const propagation: readonly Case[] = [
  {
    title: 'the time that a caller says is left is a deadline, where it is trusted',
    async run(lab) {
      const service = await lab.healed({ routes: [slow, quick] }, TRUSTING);
      await expect504(service, '/slow', '60');
      expect((await service.ask('GET', '/quick', { [NAME]: '5000' })).status).toBe(200);
      await service.booked('route:GET /slow', { failure: 1 });
    },
  },
  {
    title: 'elsewhere it says nothing',
    async run(lab) {
      const late: RouteSpec = {
        ...slow,
        handler: async (call) => {
          await pause(120);
          return call.send({ body: 'all the same' });
        },
      };
      const service = await lab.healed({ routes: [late] }, { deadlineHeader: { name: NAME } });
      expect((await service.ask('GET', '/slow', { [NAME]: '1' })).status).toBe(200);
    },
  },
  {
    title: "the route's own deadline is the longest",
    async run(lab) {
      const own: RouteSpec = { ...slow, healing: { deadlineMs: 80 } };
      const service = await lab.healed({ routes: [own] }, TRUSTING);
      const begun = performance.now();
      await expect504(service, '/slow', '60000');
      expect(performance.now() - begun).toBeLessThan(4_000);
    },
  },
  {
    title: 'nonsense is ignored',
    async run(lab) {
      const service = await lab.healed({ routes: [quick] }, TRUSTING);
      for (const nonsense of ['-5', '1.5', 'soon', '', '9999999999999', '5, 6']) {
        expect((await service.ask('GET', '/quick', { [NAME]: nonsense })).status).toBe(200);
      }
      await service.booked('route:GET /quick', { success: 6 });
    },
  },
  {
    title: 'callers that give less time than half of the calls take do not open the circuit',
    async run(lab) {
      let ms = 60;
      const route: RouteSpec = {
        ...slow,
        handler: async (call) => {
          await pause(ms);
          return call.send({ body: 'x' });
        },
      };
      const service = await lab.healed({ routes: [route] }, TRUSTING);
      await Promise.all(Array.from({ length: 10 }, () => service.ask('GET', '/slow')));
      ms = 400;
      await Promise.all(Array.from({ length: 10 }, () => expect504(service, '/slow', '0')));
      await service.booked('route:GET /slow', { success: 10, ignored: 10 });
    },
  },
  {
    title: 'what the handler calls ends with the request, less what has passed by then',
    async run(lab) {
      const { waited, build } = waits(lab, () => pause(150));
      const service = await build();
      await expect504(service, '/it', '400');
      await until('the call to end', () => waited.length === 1);
      const [{ ms, error }] = waited as [(typeof waited)[0]];
      expect(isHealixError(error, 'HEALIX_DEADLINE')).toBe(true);
      expect(ms).toBeGreaterThan(150);
      expect(ms).toBeLessThan(320);
    },
  },
  {
    title: 'after a body was parsed, too, that came in pieces',
    async run(lab) {
      const { waited, build } = waits(lab, (call) => expect(call.body).toEqual({ a: 1 }));
      const service = await build();
      const client = await service.connect();
      const bytes = wireJson('/it', { a: 1 }, { [NAME]: '200' });
      for (const piece of [bytes.slice(0, -5), bytes.slice(-5, -2), bytes.slice(-2)]) {
        client.send(piece);
        await pause(10);
      }
      expect((await client.answer('POST')).status).toBe(504);
      await until('the call to end', () => waited.length === 1);
      expect(waited[0]?.ms).toBeLessThan(2_000);
    },
  },
  {
    title: "and the route's own deadline is one for them as well",
    async run(lab) {
      const { runtime, waited, build } = waits(lab);
      runtime.target('route:GET /it').update({ deadlineMs: 100 });
      const service = await build();
      expect((await service.ask('GET', '/it')).status).toBe(504);
      await until('the call to end', () => waited.length === 1);
      expect(waited[0]?.ms).toBeLessThan(2_000);
    },
  },
  {
    title: 'requests side by side have each their own time',
    async run(lab) {
      const { waited, build } = waits(lab);
      const service = await build();
      await Promise.all(['100', '600', '100', '600'].map((ms) => service.ask('GET', '/it', { [NAME]: ms })));
      await until('all calls to end', () => waited.length === 4);
      const times = waited.map(({ ms }) => ms).sort((a, b) => a - b) as [number, number, number, number];
      expect(times[1]).toBeLessThan(450);
      expect(times[2]).toBeGreaterThan(500);
    },
  },
  ...(
    [
      ['as its route says', { priority: 'high' }, {}, { p: 'high' }],
      ['as its caller says, where that is trusted', { priority: 'high' }, { p: 'low' }, { p: 'low' }],
      [
        'as its route says where its caller talks nonsense',
        { priority: 'low' },
        { p: 'urgent' },
        { p: 'low' },
      ],
      ['not at all where nobody says', {}, {}, {}],
    ] as [string, TargetOptions, Record<string, string>, object][]
  ).map(
    ([how, healing, headers, told]): Case => ({
      title: `a request matters ${how}, and so does what it calls`,
      async run(lab) {
        const runtime = lab.runtime({ priorityHeader: { name: 'p', trust: true } });
        const upstream = runtime.target('upstream:a');
        const admitted: unknown[] = [];
        const route: RouteSpec = {
          method: 'GET',
          path: '/it',
          healing,
          handler: async (call) => call.send({ body: { told: await upstream.run((it) => it.headers) } }),
        };
        const target = runtime.target('route:GET /it');
        const { admit } = target;
        target.admit = (operation) => {
          admitted.push(operation.priority);
          return admit.call(target, operation);
        };
        const service = await lab.healed({ routes: [route] }, {}, { runtime });
        expect((await service.ask('GET', '/it', headers)).json()).toEqual({ told });
        expect(admitted).toEqual([headers.p === 'low' ? 'low' : undefined]);
      },
    }),
  ),
  {
    title: 'what a caller says of its importance is nothing where it is not trusted',
    async run(lab) {
      const runtime = lab.runtime({ priorityHeader: { name: 'p', send: true } });
      const upstream = runtime.target('upstream:a');
      const route: RouteSpec = {
        ...quick,
        handler: async (call) => call.send({ body: { told: await upstream.run((it) => it.headers) } }),
      };
      const service = await lab.healed({ routes: [route] }, {}, { runtime });
      expect((await service.ask('GET', '/quick', { p: 'critical' })).json()).toEqual({ told: {} });
    },
  },
];
