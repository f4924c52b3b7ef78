import { expect, test } from 'vitest';
import { Incident, type IncidentEntry } from '../telemetry/incidents.ts';
import { TierUsage } from './usage.ts';

function recovered(tookMs: number, ...entries: Omit<IncidentEntry, 'at'>[]): Incident {
  const incident = new Incident('i', 'a', { kind: 'error-rate', severity: 1, evidence: {} }, 1_000);
  for (const entry of entries) incident.add({ at: 1_000, ...entry });
  incident.endedAt = 1_000 + tookMs;
  return incident;
}

test('a tier is credited with what proved itself in its time, under that tier', () => {
  const usage = new TierUsage();
  const end = { at: 0, what: 'recovered' } as const;
  const verified = { what: 'verified', strategy: 'retry' } as const;
  const late = { what: 'unproven', strategy: 'retry' } as const;
  usage.note('a', recovered(100, verified), end);
  usage.note('a', recovered(300, late, verified), end);
  usage.note('b', recovered(100, late, { what: 'tier' }, verified), end);
  usage.note('b', recovered(100, verified, { what: 'tier' }), end);
  usage.handOver('a', 'b');
  usage.handOver('a', 'b');
  expect(usage.report(new Map([['a', 4]]))).toEqual({
    a: {
      targets: 4,
      targetMs: 0,
      loopMs: 0,
      incidents: 0,
      recovered: 2,
      handedOver: 2,
      verifiedShare: 0.25,
      timeToRecoverMs: 200,
    },
    b: {
      targets: 0,
      targetMs: 0,
      loopMs: 0,
      incidents: 2,
      recovered: 2,
      handedOver: 0,
      verifiedShare: 0.5,
      timeToRecoverMs: 100,
    },
  });
});

test('of a tier that was never used there is nothing to say', () => {
  expect(new TierUsage().report(new Map([['a', 1]])).a).toMatchObject({
    targets: 1,
    verifiedShare: undefined,
    timeToRecoverMs: undefined,
  });
});
