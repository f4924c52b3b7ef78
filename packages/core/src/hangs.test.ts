import { describe, expect, test } from 'vitest';
import type { CircuitOptions } from './config/schema.ts';
import type { LeakTicket } from './permit.ts';
import { createTestHealing } from './testing.ts';

function setup(circuit: CircuitOptions = { slowCallMs: 500 }) {
  const { runtime, clock } = createTestHealing();
  const transitions: string[] = [];
  runtime.on('transition', ({ to, reason }) => transitions.push(`${to} ${reason}`));
  const target = runtime.target('upstream:a', { retry: { maxRetries: 0 }, circuit });
  const acquire = () => {
    const permit = target.acquire();
    if (!permit.ok) throw permit.toError();
    return permit;
  };
  const many = (count: number) => Array.from({ length: count }, acquire);
  return { runtime, clock, target, acquire, many, transitions };
}

describe('calls that hang past slowCallMs', () => {
  test('open the circuit while they hang, before any time limit', async () => {
    const { clock, many, target, transitions } = setup();
    const hanging = many(20);
    await clock.advance(400);
    expect(target.status().state).toBe('closed');
    await clock.advance(1_300);
    expect(transitions).toEqual(['open slow-call-rate']);
    for (const permit of hanging) target.release(permit, 'failure');
    expect(target.monitor.inFlight).toBe(0);
  });

  test('no sooner than they are too many, and only where a threshold is set', async () => {
    for (const [count, circuit] of [
      [19, { slowCallMs: 500 }],
      [40, {}],
      [40, { slowCallMs: 5_000 }],
    ] as const) {
      const { clock, many, transitions } = setup(circuit);
      many(count);
      await clock.advance(3_000);
      expect(transitions).toEqual([]);
    }
  });

  test('are an anomaly, and none once they have ended', async () => {
    const { clock, many, target, runtime } = setup({ slowCallMs: 500, slowCallRate: 1 });
    for (const permit of many(40)) target.release(permit, 'success');
    const hanging = many(20);
    await clock.advance(2_000);
    expect(target.monitor.hanging).toBe(20);
    expect(runtime.incidents()[0]?.anomaly.kind).toBe('latency');
    for (const permit of hanging) target.release(permit, 'ignored');
    await clock.advance(600);
    expect(target.monitor.hanging).toBe(0);
  });

  test('an answer that has begun does not hang, however long it goes on', async () => {
    const { clock, many, target, transitions } = setup();
    const streams = many(40);
    for (const permit of streams) target.markLatency(permit);
    await clock.advance(8_000);
    expect(transitions).toEqual([]);
    for (const permit of streams) target.release(permit, 'success');
    many(200);
    await clock.advance(1_500);
    expect(transitions).toEqual(['open slow-call-rate']);
    expect(target.monitor.hanging).toBe(200);
  });

  test('a permit that was dropped after its answer had begun is not taken off twice', async () => {
    const { clock, many, acquire, target } = setup();
    target.update({ policy: { concurrency: 1_000 } });
    const dropped = acquire();
    target.markLatency(dropped);
    target.reclaim(dropped.hold as LeakTicket);
    many(5);
    await clock.advance(2_000);
    expect(target.monitor.hanging).toBe(5);
    expect(target.monitor.inFlight).toBe(5);
  });

  test('of before the circuit closed do not open it again', async () => {
    const { clock, many, acquire, target, transitions } = setup({ slowCallMs: 500, rampMs: 0 });
    many(20);
    await clock.advance(3_500);
    for (let i = 0; i < 3; i++) target.release(acquire(), 'success');
    expect(target.status().state).toBe('closed');
    await clock.advance(5_000);
    expect(transitions).toEqual(['open slow-call-rate', 'half-open due', 'closed probes-succeeded']);
  });

  test('of before the threshold was set are not counted, nor missed when they end', async () => {
    const { clock, many, target, transitions } = setup({});
    const before = many(40);
    target.update({ circuit: { slowCallMs: 500 } });
    await clock.advance(3_000);
    for (const permit of before) target.release(permit, 'ignored');
    expect(transitions).toEqual([]);
    many(20);
    await clock.advance(1_500);
    expect(transitions).toEqual(['open slow-call-rate']);
  });

  test('a stall of this process makes none', async () => {
    const { clock, many, target, transitions } = setup();
    const permits = many(20);
    await clock.advance(100);
    clock.block(900);
    await clock.advance(300);
    for (const permit of permits) target.release(permit, 'success');
    await clock.advance(3_000);
    expect(transitions).toEqual([]);
  });
});
