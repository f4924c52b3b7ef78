import { describe, expect, test } from 'vitest';
import type { HostEvent } from './telemetry/events.ts';
import { createTestHealing } from './testing.ts';

const HOSTS = ['a', 'b', 'c', 'd'];
const NO_BREAK = { circuit: { consecutiveFailures: 1_000, minimumCalls: 10_000 } };

function make(options: Parameters<typeof createTestHealing>[0] = {}) {
  const { runtime, clock } = createTestHealing({ defaults: NO_BREAK, ...options });
  const target = runtime.target('upstream:search', { hosts: HOSTS });
  const bad = new Set<string>();
  const told: string[] = [];
  const asked: (string | undefined)[] = [];
  runtime.on('host', ({ host, what, reason }) => told.push(`${host} ${what} ${reason}`));
  /** One call: `good`, or what it came to. */
  const ask = (idempotent = true) => {
    const answer = target.run(
      ({ host }) => {
        asked.push(host);
        return { status: bad.has(host as string) ? 500 : 200 };
      },
      { idempotent },
    );
    return answer.then(({ status }) => status);
  };
  /** `calls` calls, 20 ms apart: so many of them were good. */
  const load = async (calls: number, idempotent = true) => {
    let good = 0;
    for (let n = 0; n < calls; n++) {
      ask(idempotent).then((status) => {
        if (status === 200) good++;
      });
      await clock.advance(20);
    }
    await clock.advance(100);
    return good;
  };
  return { runtime, clock, target, bad, told, asked, ask, load };
}

describe('a target with hosts', () => {
  test('chooses a host for each attempt; a bad one is left out, and comes back', async () => {
    const { target, bad, told, asked, load } = make();
    bad.add('a');
    expect(await load(200)).toBe(200);
    expect(told).toEqual(['a ejected failures-in-a-row']);
    expect(target.status().hosts?.map(({ host, state }) => `${host} ${state}`)).toContain('b in-use');
    asked.length = 0;
    expect(await load(50)).toBe(50);
    expect(asked.filter((host) => host === 'a').length).toBeLessThanOrEqual(2);
    bad.clear();
    await load(400);
    expect(told).toEqual(['a ejected failures-in-a-row', 'a returned failures-in-a-row']);
    asked.length = 0;
    await load(200);
    expect(new Set(asked)).toEqual(new Set(HOSTS));
    const counts = target.status().hosts?.find(({ host }) => host === 'a')?.counts;
    expect(counts?.failure).toBeGreaterThanOrEqual(5);
    expect(target.status().hosts?.reduce((sum, host) => sum + host.inFlight, 0)).toBe(0);
  });

  test('a repeat goes elsewhere, each time', async () => {
    const retry = { maxRetries: 3, budgetPerSecond: 1_000 };
    for (let seed = 0; seed < 20; seed++) {
      const { target, clock } = make({ seed, defaults: { ...NO_BREAK, retry } });
      const hosts: (string | undefined)[] = [];
      const done = target.run(
        ({ host }) => {
          hosts.push(host);
          throw new Error('no');
        },
        { idempotent: true, fallback: () => 'done' },
      );
      await clock.advance(1_000);
      expect(await done).toBe('done');
      expect([...hosts].sort()).toEqual(HOSTS);
    }
  });

  test('a function that asks for no host has none booked; one without hosts has none', async () => {
    const { runtime, target } = make();
    await target.run(() => ({ status: 500 }));
    expect(target.status().hosts?.every(({ counts }) => counts.failure === 0)).toBe(true);
    const plain = runtime.target('upstream:plain');
    expect(await plain.run(({ host }) => host)).toBeUndefined();
    expect(plain.status().hosts).toBeUndefined();
    expect(plain.hostOf(plain.acquire() as never)).toBeUndefined();
  });

  test('the same host is given however often it is read, and after the end', async () => {
    const { target } = make();
    const seen = await target.run((context) => [context.host, context.host, context] as const);
    expect(seen[0]).toBe(seen[1]);
    expect(seen[2].host).toBe(seen[0]);
    expect(target.status().hosts?.reduce((sum, { inFlight }) => sum + inFlight, 0)).toBe(0);
  });

  test('an incident tells of it, and lasts until the host is back', async () => {
    const { runtime, clock, target, bad, load } = make();
    await load(20);
    bad.add('b');
    await load(150);
    const [incident] = runtime.incidents();
    expect(incident).toMatchObject({ target: 'upstream:search', level: 4, status: 'open' });
    expect(incident?.timeline.map(({ what }) => what)).toContain('ejected');
    expect(incident?.timeline.find(({ what }) => what === 'ejected')?.detail).toBe('b: failures-in-a-row');
    expect(target.status()).toMatchObject({ status: 'degraded' });
    expect(target.status().reasons.join()).toContain('1 of its 4 hosts are left out');
    await load(3_000);
    expect(runtime.incidents()).toHaveLength(1);
    expect(runtime.incidents()[0]?.status).toBe('open');
    bad.clear();
    await load(400);
    await clock.advance(2_000);
    const last = runtime.incidents()[0];
    expect(last?.status).toBe('recovered');
    expect(last?.timeline.slice(-2).map(({ what }) => what)).toContain('recovered');
    expect(last?.timeline.map(({ what }) => what)).toContain('returned');
    expect(target.status().status).toBe('healthy');
  });

  test('permits of `acquire`: the host is booked with what they are released with, once', () => {
    const { target } = make();
    const permit = target.acquire();
    if (!permit.ok) throw permit.toError();
    const host = target.hostOf(permit);
    expect(HOSTS).toContain(host);
    expect(target.hostOf(permit)).toBe(host);
    const of = () => target.status().hosts?.find((status) => status.host === host);
    expect(of()?.inFlight).toBe(1);
    target.release(permit, 'failure');
    target.release(permit, 'failure');
    expect(permit.released).toBe(true);
    expect(of()).toMatchObject({ inFlight: 0, counts: { failure: 1 } });
    expect(target.counts.lateReleases).toBe(1);
  });

  test('hosts of later: `update` puts them in force, and takes them back', async () => {
    const { target, ask, asked } = make();
    target.update({ hosts: ['x'] });
    await ask();
    target.update({ hosts: null });
    await ask();
    target.update({ hosts: [] });
    await ask();
    expect([asked[0], HOSTS.includes(asked[1] as string), asked[2]]).toEqual(['x', true, undefined]);
    expect(() => target.update({ hosts: ['x', 'x'] })).toThrow('each host once');
    expect(() => target.update({ hosts: [''] })).toThrow('hosts[0]');
  });

  test('observe mode judges, and leaves nothing out; what would have timed out is booked once', async () => {
    const { runtime, bad, asked, load, told } = make({ mode: 'observe' });
    const events: HostEvent[] = [];
    runtime.on('host', (event) => events.push(event));
    bad.add('a');
    await load(200, false);
    expect(told[0]).toBe('a ejected failures-in-a-row');
    expect(events[0]).toMatchObject({ observed: true, target: 'upstream:search', host: 'a' });
    asked.length = 0;
    await load(100, false);
    expect(asked.filter((host) => host === 'a').length).toBeGreaterThan(4);
    const hung = runtime.target('upstream:search', { timeoutMs: 100 });
    const before = hung.status().hosts?.reduce((sum, { counts }) => sum + counts.failure, 0) as number;
    let answer: (value: unknown) => void = () => {};
    const done = hung.run(
      ({ host }) => new Promise((resolve) => (answer = () => resolve({ status: 200, host }))),
    );
    await load(10, false);
    answer(undefined);
    await done;
    const statuses = hung.status().hosts ?? [];
    expect(statuses.reduce((sum, { inFlight }) => sum + inFlight, 0)).toBe(0);
    expect(statuses.reduce((sum, { counts }) => sum + counts.failure, 0)).toBeGreaterThan(before);
  });

  test('switched off, hosts are still given out', async () => {
    const { target } = make({ disabled: true });
    expect(HOSTS).toContain(await target.run(({ host }) => host));
  });

  test('a block of the event loop is no fault of the hosts', async () => {
    const { clock, target, load, told } = make({ defaults: { ...NO_BREAK, timeoutMs: 200 } });
    await load(100);
    for (let n = 0; n < 40; n++) {
      target
        .run(({ host }) => new Promise((resolve) => clock.setTimer(() => resolve({ status: 200, host }), 30)))
        .catch(() => {});
    }
    clock.block(900);
    await clock.advance(500);
    await load(50);
    expect(told).toEqual([]);
  });

  test('metrics tell of each host', async () => {
    const { runtime, bad, load } = make();
    bad.add('a');
    await load(100);
    const text = await runtime.metrics();
    expect(text).toContain('healix_host_out{target="upstream:search",host="a"} 1');
    expect(text).toContain('healix_host_out{target="upstream:search",host="b"} 0');
    expect(text).toContain('healix_host_ejections_total{target="upstream:search",host="a"} 1');
    expect(text).toMatch(
      /healix_host_calls_total\{target="upstream:search",host="a",outcome="failure"\} [5-9]/,
    );
  });

  test('hosts past a thousand are summed up in metrics', async () => {
    const { runtime } = make();
    for (let n = 0; n < 11; n++) {
      runtime.target(`upstream:many${n}`, { hosts: Array.from({ length: 100 }, (_, host) => `h${host}`) });
    }
    const lines = (await runtime.metrics()).split('\n').filter((line) => line.startsWith('healix_host_out{'));
    expect(lines.length).toBeLessThanOrEqual(1_003);
    expect(lines.some((line) => line.includes('host="other"'))).toBe(true);
  });
});
