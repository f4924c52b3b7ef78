import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CallGraph } from './call-graph.ts';

function notes(graph: CallGraph, times: number, called: string[], bad = false, cause?: string, now = 0) {
  for (let i = 0; i < times; i++) graph.note('route:a', called, bad, cause, now);
}

describe('a graph of calls', () => {
  test('knows the share of requests that call an upstream', () => {
    const graph = new CallGraph();
    notes(graph, 3, ['u', 'v']);
    notes(graph, 1, ['u']);
    expect([...graph.upstreamsOf('route:a')]).toEqual([
      ['u', 1],
      ['v', 0.75],
    ]);
    expect(graph.upstreamsOf('route:b').size).toBe(0);
  });

  test('names the upstream that is behind most of the bad requests', () => {
    const graph = new CallGraph();
    notes(graph, 100, ['u', 'v']);
    notes(graph, 6, ['u', 'v'], true, 'v');
    notes(graph, 2, ['u', 'v'], true, 'u');
    notes(graph, 2, ['u', 'v'], true);
    expect(graph.causeOf('route:a', 0)).toEqual({ upstream: 'v', share: 0.6 });
  });

  test('names none where the route fails by itself, or hardly ever', () => {
    const graph = new CallGraph();
    notes(graph, 4, ['u'], true, 'u');
    notes(graph, 5, ['u'], true);
    expect(graph.causeOf('route:a', 0)).toBeUndefined();
    const calm = new CallGraph();
    notes(calm, 1, ['u'], true, 'u');
    expect(calm.causeOf('route:a', 0)).toBeUndefined();
  });

  test('forgets: what was bad before fades beside what is bad now', () => {
    const graph = new CallGraph({ halfLifeMs: 10_000 });
    notes(graph, 64, ['u', 'v'], true, 'u');
    notes(graph, 8, ['u', 'v'], true, 'v', 60_000);
    expect(graph.causeOf('route:a', 60_000)).toMatchObject({ upstream: 'v' });
    expect(graph.causeOf('route:a', 200_000)).toBeUndefined();
    graph.forget('route:a');
    expect(graph.upstreamsOf('route:a').size).toBe(0);
  });

  test('keeps nothing of routes that call nobody', () => {
    const graph = new CallGraph();
    notes(graph, 5, [], true);
    expect(graph.causeOf('route:a', 0)).toBeUndefined();
    expect(graph.upstreamsOf('route:a').size).toBe(0);
  });

  test('is bounded, whatever comes, and its shares are shares', () => {
    const step = fc.record({
      route: fc.integer({ min: 0, max: 20 }),
      upstream: fc.integer({ min: 0, max: 40 }),
      bad: fc.boolean(),
      afterMs: fc.integer({ min: 0, max: 30_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const graph = new CallGraph({ maxRoutes: 5, maxUpstreams: 4 });
        let now = 0;
        for (const { route, upstream, bad, afterMs } of steps) {
          now += afterMs;
          graph.note(`${route}`, [`${upstream}`], bad, bad ? `${upstream}` : undefined, now);
        }
        const known = Array.from({ length: 21 }, (_, route) => graph.upstreamsOf(`${route}`));
        expect(known.filter(({ size }) => size > 0).length).toBeLessThanOrEqual(5);
        for (const [route, upstreams] of known.entries()) {
          expect(upstreams.size).toBeLessThanOrEqual(4);
          for (const share of upstreams.values()) expect(share).toSatisfy((s: number) => s >= 0 && s <= 1);
          const cause = graph.causeOf(`${route}`, now);
          if (cause !== undefined) expect(cause.share).toSatisfy((s: number) => s >= 0.5 && s <= 1 + 1e-9);
        }
      }),
    );
  });
});
