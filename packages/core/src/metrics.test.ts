import { describe, expect, test } from 'vitest';
import { createTestHealing } from './testing.ts';

describe('Prometheus text', () => {
  test('tells of every target: calls by outcome, refusals, repeats, state, latency', async () => {
    const { runtime, clock } = createTestHealing({ defaults: { retry: { maxRetries: 1 } } });
    const target = runtime.target('upstream:a');
    for (let i = 0; i < 3; i++) {
      await target.run(() => {
        clock.block(10);
      });
    }
    const repeated = target.run(() => ({ status: 500 }), {
      idempotent: true,
      fallback: () => ({ status: 200 }),
    });
    await clock.advance(500);
    await repeated;
    await target.force('open');
    target.acquire();
    const text = await runtime.metrics();
    for (const line of [
      'healix_calls_total{target="upstream:a",outcome="success"} 3',
      'healix_calls_total{target="upstream:a",outcome="failure"} 2',
      'healix_calls_total{target="upstream:a",outcome="overload"} 0',
      'healix_refusals_total{target="upstream:a"} 1',
      'healix_retries_total{target="upstream:a"} 1',
      'healix_replaced_answers_total{target="upstream:a",by="fallback"} 1',
      'healix_in_flight{target="upstream:a"} 0',
      'healix_circuit_state{target="upstream:a",state="open"} 1',
      'healix_circuit_state{target="upstream:a",state="closed"} 0',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    const p99 = Number(/healix_latency_seconds\{target="upstream:a",quantile="0.99"\} (\S+)/.exec(text)?.[1]);
    expect(p99).toBeGreaterThan(0.009);
    expect(p99).toBeLessThan(0.011);
    expect(text).toContain('# TYPE healix_calls_total counter');
  });

  test('names are escaped, so that no name can forge a line', async () => {
    const { runtime } = createTestHealing();
    await runtime.target('a"} 1\nforged{x="\\').run(() => 1);
    const text = await runtime.metrics();
    expect(text).toContain('healix_in_flight{target="a\\"} 1\\nforged{x=\\"\\\\"} 0');
    expect(text.split('\n').filter((line) => line.startsWith('forged'))).toEqual([]);
  });

  test('a dropped target leaves no series (opossum-prometheus 93), nor does anything stay in the global registry', async () => {
    const { runtime, clock } = createTestHealing();
    await runtime.target('upstream:gone').run(() => 1);
    expect(await runtime.metrics()).toContain('upstream:gone');
    for (let i = 0; i < 80; i++) {
      await runtime.target('upstream:busy').run(() => 1);
      clock.advanceSync(10_000);
    }
    const text = await runtime.metrics();
    expect(text).not.toContain('upstream:gone');
    expect(text).toContain('upstream:busy');
    const { register } = await import('prom-client');
    expect(await register.metrics()).not.toContain('healix');
  });
});
