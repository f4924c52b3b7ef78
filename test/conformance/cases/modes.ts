import { expect } from 'vitest';
import type { Case } from '../harness/case.ts';
import { FAIL, failsOnDemand, LASTING } from '../harness/circuits.ts';
import type { Service } from '../harness/service.ts';
import type { RouteSpec } from '../harness/subject.ts';
import { pause, until } from '../harness/wait.ts';

const route = failsOnDemand({ method: 'GET', path: '/it', handler: (call) => call.send({ body: 'x' }) });
const circuit = LASTING;
const deadlineMs = 30;
const policy = { concurrency: 1, rate: { calls: 1, perMs: 60_000 } };
const strict = { circuit, deadlineMs, policy };

async function expectAllServed(service: Service): Promise<void> {
  for (let i = 0; i < 10; i++) expect((await service.ask('GET', '/it', FAIL)).status).toBe(500);
  for (let i = 0; i < 5; i++) expect((await service.ask('GET', '/it')).status).toBe(200);
}

/** Healing that only watches, and healing that is switched off. */
export const modes: readonly Case[] = [
  {
    title: 'observe mode refuses nothing, cuts nothing short, and says what it would have done',
    async run(lab) {
      const late: RouteSpec = {
        method: 'GET',
        path: '/late',
        handler: async (call) => {
          await pause(4 * deadlineMs);
          return call.send({ body: 'served' });
        },
      };
      const routes = [route, late, { ...route, path: '/often' }];
      const targets = { 'route:GET /often': { policy }, 'route:GET /late': { deadlineMs } };
      const service = await lab.healed({ routes }, { mode: 'observe', defaults: { circuit }, targets });
      await expectAllServed(service);
      await until('one to be noted that no blocked event loop excuses', async () => {
        expect((await service.ask('GET', '/late')).body.toString()).toBe('served');
        return service.status('route:GET /late')?.wouldHave?.timedOut !== undefined;
      });
      for (let i = 0; i < 5; i++) expect((await service.ask('GET', '/often')).status).toBe(200);
      await service.booked('route:GET /it', { failure: 10, success: 5 });
      const status = service.status('route:GET /it');
      expect(status?.state).toBe('open');
      expect(status?.wouldHave?.success).toBe(5);
      // Seven, less one for each time that the event loop was blocked while the first three were under way.
      expect(status?.wouldHave?.failure).toBeGreaterThan(0);
      expect(status?.wouldHave?.failure).toBeLessThanOrEqual(7);
      await service.booked('route:GET /often', { success: 5 });
      expect(service.status('route:GET /often')?.wouldHave?.success).toBe(4);
    },
  },
  {
    title: 'disabled: everything passes through, and nothing is counted',
    async run(lab) {
      const service = await lab.healed({ routes: [route] }, { disabled: true, defaults: strict });
      await expectAllServed(service);
      expect(service.inFlight).toBe(0);
      expect(service.status('route:GET /it')?.counts.failure ?? 0).toBe(0);
    },
  },
  {
    title: 'HEALIX_DISABLED=1 does the same without a change of code',
    async run(lab) {
      process.env.HEALIX_DISABLED = '1';
      try {
        const service = await lab.healed(
          { routes: [{ ...route, healing: { policy: { deny: 'no' } } }] },
          { defaults: strict },
        );
        await expectAllServed(service);
      } finally {
        delete process.env.HEALIX_DISABLED;
      }
    },
  },
];
