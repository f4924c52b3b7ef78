import { expect } from 'vitest';
import type { Case } from '../harness/case.ts';
import { wire } from '../harness/raw-client.ts';
import type { HealingSpec, RouteSpec } from '../harness/subject.ts';

const route: RouteSpec = { method: 'GET', path: '/it', handler: (call) => call.send({ body: 'x' }) };

type OnRefused = NonNullable<HealingSpec['onRefused']>;

const throwing: Record<string, OnRefused> = {
  'throws at once': () => {
    throw new Error('no answer');
  },
  'rejects later': async () => {
    throw new Error('no answer');
  },
};

/** `onRefused` replaces the answer to a refused request. */
export const onRefused: readonly Case[] = [
  {
    title: 'it answers over the raw response, and knows the rejection',
    async run(lab) {
      const reasons: unknown[] = [];
      const service = await lab.healed(
        { routes: [route] },
        {},
        {
          onRefused(_req, res, rejection) {
            reasons.push(rejection.reason, rejection.target.name);
            res.statusCode = 307;
            res.setHeader('location', '/elsewhere');
            res.end();
          },
        },
      );
      await service.runtime.target('route:GET /it').force('open');
      const client = await service.connect();
      const answer = await client.send(wire('GET', '/it')).answer();
      expect(answer).toMatchObject({ status: 307 });
      expect(answer.header('location')).toBe('/elsewhere');
      expect(reasons).toEqual(['circuit-open', 'route:GET /it']);
      await service.runtime.target('route:GET /it').force(null);
      expect((await client.send(wire('GET', '/it')).answer()).status).toBe(200);
    },
  },
  {
    title: 'it may answer later',
    async run(lab) {
      const service = await lab.healed(
        { routes: [route] },
        {},
        {
          async onRefused(_req, res) {
            await new Promise((resolve) => setTimeout(resolve, 20));
            res.statusCode = 299;
            res.end('later');
          },
        },
      );
      await service.runtime.target('route:GET /it').force('open');
      expect((await service.ask('GET', '/it')).status).toBe(299);
    },
  },
  ...Object.entries(throwing).map(
    ([how, onRefused]): Case => ({
      title: `one that ${how} is counted, and the usual answer is given`,
      async run(lab) {
        const service = await lab.healed({ routes: [route] }, {}, { onRefused });
        await service.runtime.target('route:GET /it').force('open');
        for (let i = 0; i < 2; i++) {
          const answer = await service.ask('GET', '/it');
          expect(answer.status).toBe(503);
          expect(answer.json()).toMatchObject({ reason: 'circuit-open' });
        }
        const [report] = service.runtime.status().callbackErrors;
        expect(report).toMatchObject({ callback: 'onRefused', count: 2 });
      },
    }),
  ),
];
