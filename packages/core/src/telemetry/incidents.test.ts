import { describe, expect, test } from 'vitest';
import { ConfigError } from '../errors.ts';
import { combineHealth } from '../health/status.ts';
import { createTestHealing } from '../testing.ts';
import { seededRandom } from '../time/random.ts';
import { IncidentLog } from './incidents.ts';

const anomaly = { kind: 'error-rate', severity: 1, evidence: {} } as const;

describe('the log', () => {
  test('is asked by target and number, the latest first', () => {
    const log = new IncidentLog(seededRandom(1));
    for (const [at, target] of ['a', 'b', 'a', 'c'].entries()) log.end(log.open(target, anomaly, at));
    expect(log.query().map(({ openedAt }) => openedAt)).toEqual([3, 2, 1, 0]);
    expect(log.query({ target: 'a' }).map(({ openedAt }) => openedAt)).toEqual([2, 0]);
    expect(log.query({ limit: 2 }).map(({ target }) => target)).toEqual(['c', 'a']);
    expect(log.query({ target: 'a', limit: 1 })).toHaveLength(1);
    expect(log.query({ limit: 0 })).toEqual([]);
    expect(log.query({ target: 'unknown' })).toEqual([]);
    expect(new Set(log.query().map(({ id }) => id)).size).toBe(4);
  });

  test('is asked by status, and by the time since when something was the matter', () => {
    const log = new IncidentLog(seededRandom(1));
    const [over, later, lasting] = [0, 10, 20].map((at) => log.open(`t${at}`, anomaly, at));
    for (const [incident, at] of [
      [over, 5],
      [later, 30],
    ] as const) {
      if (incident === undefined) throw new Error('no incident');
      incident.endedAt = at;
      incident.status = 'recovered';
      log.end(incident);
    }
    const targets = (query: object) => log.query(query).map(({ target }) => target);
    expect(targets({ status: 'recovered' })).toEqual(['t10', 't0']);
    expect(targets({ status: 'open' })).toEqual([lasting?.target]);
    expect(targets({ status: 'gave-up' })).toEqual([]);
    expect(targets({ since: 5 })).toEqual(['t20', 't10', 't0']);
    expect(targets({ since: 6 })).toEqual(['t20', 't10']);
    expect(targets({ since: 31 })).toEqual(['t20']);
    expect(targets({ since: 6, status: 'recovered', target: 't10', limit: 1 })).toEqual(['t10']);
  });

  test('keeps two hundred, and those under way longer than those that ended', () => {
    const log = new IncidentLog(seededRandom(1));
    log.open('under way', anomaly, 0);
    for (let i = 0; i < 500; i++) {
      const incident = log.open('a', anomaly, i);
      incident.endedAt = i;
      log.end(incident);
    }
    expect(log.query()).toHaveLength(200);
    expect(log.query({ target: 'under way' })).toHaveLength(1);
  });

  test('of a long story the beginning and the end are kept', () => {
    const incident = new IncidentLog(seededRandom(1)).open('a', anomaly, 0);
    for (let at = 1; at <= 1_000; at++) incident.add({ at, what: 'transition' });
    const { timeline } = incident.report();
    expect(timeline).toHaveLength(100);
    expect([timeline[0]?.what, timeline[1]?.at, timeline.at(-1)?.at]).toEqual(['anomaly', 1, 1_000]);
  });

  test('a report does not change afterwards', () => {
    const incident = new IncidentLog(seededRandom(1)).open('a', anomaly, 0);
    const report = incident.report();
    incident.add({ at: 1, what: 'recovered' });
    expect(report.timeline).toHaveLength(1);
  });
});

describe('runtime.incidents', () => {
  test.each([
    { limit: -1 },
    { limit: 1.5 },
    { limit: Number.NaN },
    { limit: '5' },
    { since: Number.NaN },
    { since: '5' },
    { since: -1 },
    { status: 'over' },
  ])('%j is a ConfigError', (query) => {
    const { runtime } = createTestHealing();
    expect(() => runtime.incidents(query as never)).toThrow(ConfigError);
  });

  test("transitions are part of an incident's story, and told as they come", async () => {
    const { runtime, clock } = createTestHealing({ defaults: { circuit: { openMs: 200 } } });
    const told: unknown[] = [];
    runtime.on('incident', ({ entry }) => told.push(entry.detail ?? entry.what));
    const target = runtime.target('upstream:a');
    for (let i = 0; i < 5; i++) await target.run(() => ({ status: 500 }));
    for (let i = 0; i < 5; i++) {
      await clock.advance(100);
      await target.run(() => ({ status: 200 })).catch(() => {});
    }
    const details = runtime.incidents()[0]?.timeline.map(({ detail }) => detail);
    expect(details).toEqual(
      expect.arrayContaining(['open to half-open: due', 'half-open to closed: probes-succeeded']),
    );
    expect(told).toEqual(expect.arrayContaining(['error-rate', 'open to half-open: due']));
  });
});

describe('the health of the whole', () => {
  const part = (status: string) => [status, { status, reasons: ['why'] }] as never;

  test.each([
    [[], 'healthy'],
    [['healthy', 'healthy'], 'healthy'],
    [['healthy', 'degraded'], 'degraded'],
    [['healthy', 'healthy', 'critical'], 'degraded'],
    [['healthy', 'critical'], 'critical'],
    [['healthy', 'critical', 'failed'], 'critical'],
    [['healthy', 'failed'], 'failed'],
    [['healthy', 'healthy', 'healthy', 'failed'], 'degraded'],
  ])('of %j is %s', (parts, status) => {
    expect(combineHealth(parts.map(part)).status).toBe(status);
  });

  test('reasons name the part', async () => {
    const { runtime } = createTestHealing();
    runtime.target('upstream:well');
    await runtime.target('upstream:a').force('open');
    expect(runtime.status()).toMatchObject({
      status: 'critical',
      reasons: ['upstream:a: the circuit is forced open; the circuit is open'],
      targets: {
        'upstream:well': { status: 'healthy' },
        'upstream:a': { status: 'critical', forced: 'open' },
      },
    });
  });
});
