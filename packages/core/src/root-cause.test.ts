import { describe, expect, test } from 'vitest';
import { withScope } from './ambient.ts';
import type { TargetOptions } from './config/schema.ts';
import { RequestScope } from './request-scope.ts';
import { createTestHealing } from './testing.ts';

const failing = () => Promise.reject(new Error('no'));

function setup(recovery: TargetOptions['recovery'] = { rootCause: true }) {
  const { runtime, clock } = createTestHealing({
    defaults: { recovery, retry: { maxRetries: 0 }, circuit: { slowCallMs: 100 } },
  });
  const route = runtime.target('route:GET /');
  const upstream = runtime.target('upstream:a', { timeoutMs: 60_000 });
  /** One request, which fails where `work` does, unless it is told what to come to. */
  const request = async (work: () => Promise<unknown>, outcome?: 'success' | 'failure') => {
    const permit = route.acquire();
    if (!permit.ok) return;
    permit.scope = new RequestScope(runtime.time, Number.POSITIVE_INFINITY, undefined, route.traces);
    const worked = await withScope(permit.scope, work).then(
      () => 'success' as const,
      () => 'failure' as const,
    );
    route.release(permit, outcome ?? worked);
  };
  const slowly = (ms: number) => () => new Promise<void>((resolve) => void clock.setTimer(resolve, ms));
  return { runtime, clock, route, upstream, request, slowly };
}

describe("a route's own circuit", () => {
  test('does not hear of what failed in an upstream that is unwell', async () => {
    const { route, upstream, request } = setup();
    for (let i = 0; i < 40; i++) await request(() => upstream.run(failing), 'failure');
    expect(upstream.state).toBe('open');
    expect(route.state).toBe('closed');
    expect(route.status().counts.failure).toBe(40);
  });

  test.each([
    ['by itself', { rootCause: true }, true],
    ['at all, where root causes are off', { rootCause: false }, false],
    ['at all, in the basic tier', {}, false],
  ])('opens where the route fails %s', async (_how, recovery, byItself) => {
    const { route, upstream, request } = setup(recovery);
    const work = () => (byItself ? Promise.resolve() : upstream.run(failing));
    for (let i = 0; i < 40; i++) await request(work, 'failure');
    expect(route.state).toBe('open');
  });

  test('opens for a route that alone fails of an upstream that is well', async () => {
    const { runtime, route, upstream, request } = setup();
    const others = async () => {
      for (let i = 0; i < 20; i++) await upstream.run(() => 'well');
    };
    for (let i = 0; i < 40 && route.state === 'closed'; i++) {
      await others();
      await request(() => upstream.run(failing), 'failure');
    }
    expect(upstream.state).toBe('closed');
    expect(runtime.target('route:GET /').state).toBe('open');
  });

  test('judges the time that the route takes itself', async () => {
    const { clock, route, upstream, request, slowly } = setup();
    for (let i = 0; i < 40; i++) {
      const done = request(() => upstream.run(slowly(300)), 'success');
      await clock.advance(320);
      await done;
    }
    expect(route.status().counts.slow).toBeGreaterThanOrEqual(20);
    expect(route.state).toBe('closed');
    for (let i = 0; i < 40 && route.state === 'closed'; i++) {
      const done = request(slowly(300), 'success');
      await clock.advance(320);
      await done;
    }
    expect(route.state).toBe('open');
  });
});

test('its incident names the cause, waits for it, and ends after it', async () => {
  const { runtime, clock, route, upstream, request } = setup({
    rootCause: true,
    proveMs: 100,
    escalateAfterMs: 500,
    calmMs: 500,
  });
  const ended: string[] = [];
  runtime.on('recovered', ({ target }) => ended.push(target));
  const drive = async (well: boolean, rounds: number) => {
    for (let i = 0; i < rounds; i++) {
      await request(() => upstream.run(() => (well ? Promise.resolve() : failing())));
      await clock.advance(20);
    }
  };
  await drive(true, 50);
  await drive(false, 300);
  const [incident] = runtime.incidents({ target: route.name });
  expect(incident).toMatchObject({ rootCause: 'upstream:a', status: 'open', level: 0 });
  expect(incident?.timeline.map(({ what }) => what)).toEqual(['anomaly', 'attributed']);
  expect(runtime.incidents({ target: upstream.name })[0]?.level).toBeGreaterThan(0);
  expect(route.state).toBe('closed');
  await drive(true, 500);
  expect(ended).toEqual([upstream.name, route.name]);
});
