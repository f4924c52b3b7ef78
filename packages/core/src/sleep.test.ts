import { describe, expect, test } from 'vitest';
import { createTestHealing } from './testing.ts';

/** Past `escalateAfterMs`, the window and the silence that the ticker waits for. */
const LONG_MS = 30_000;

function setup() {
  const { runtime, clock } = createTestHealing({ defaults: { circuit: { rampMs: 0, probes: 1 } } });
  const target = runtime.target('upstream:a');
  const told: string[] = [];
  runtime.on('transition', ({ from, to }) => told.push(`${from} to ${to}`));
  runtime.on('recovered', () => told.push('recovered'));
  return { runtime, clock, target, told };
}

type World = ReturnType<typeof setup>;

const fail = () => ({ status: 500 });
const never = () => new Promise<never>(() => {});

async function open({ target, clock }: World): Promise<void> {
  for (let i = 0; i < 5; i++) await target.run<unknown>(fail);
  await clock.advance(100);
  expect(target.state).toBe('open');
}

describe('an open circuit without traffic', () => {
  test('lets the ticker sleep once the recovery levels are spent', async () => {
    const world = setup();
    const { runtime, clock, told } = world;
    await open(world);
    await clock.advance(LONG_MS);
    expect(clock.pending).toBe(0);
    expect(runtime.incidents()).toMatchObject([{ status: 'gave-up', level: 6 }]);
    expect(told).toEqual(['closed to open']);
  });

  test('is tried by the next call, however late, and its incident ends', async () => {
    const world = setup();
    const { runtime, clock, target, told } = world;
    await open(world);
    await clock.advance(LONG_MS);
    expect(await target.run(() => 'well')).toBe('well');
    await clock.advance(LONG_MS);
    expect(told).toEqual(['closed to open', 'open to half-open', 'half-open to closed', 'recovered']);
    expect(runtime.incidents()).toMatchObject([{ status: 'recovered' }]);
    expect(clock.pending).toBe(0);
  });

  test('is closed by a person without a call, and its incident ends', async () => {
    const world = setup();
    const { clock, target, told } = world;
    await open(world);
    await clock.advance(LONG_MS);
    await target.force('closed');
    await clock.advance(LONG_MS);
    expect(told).toEqual(['closed to open', 'open to closed', 'recovered']);
    expect(clock.pending).toBe(0);
  });
});

test('after an idle hour the recent health begins anew', async () => {
  const { clock, target } = setup();
  await target.run(() => 'well');
  await clock.advance(3_600_000);
  expect(clock.pending).toBe(0);
  for (let call = 0; call < 100; call++) {
    await target.run(() => 'well');
    await clock.advance(50);
  }
  expect(target.status().callsPerSecond).toBeCloseTo(20, 0);
  const { calls, overMs } = target.monitor.snapshot(clock.now());
  expect({ calls, overMs }).toEqual({ calls: 100, overMs: 5_000 });
  await clock.advance(11_000);
  expect(target.status().callsPerSecond).toBe(0);
});

describe('after close', () => {
  test('nothing ticks, whatever state circuits are in', async () => {
    const world = setup();
    await open(world);
    await world.runtime.close();
    expect(world.clock.pending).toBe(0);
    await world.target.force('closed');
    expect(world.clock.pending).toBe(0);
  });

  test('calls that still come, or are under way, have their deadlines', async () => {
    const world = setup();
    const { runtime, clock, target } = world;
    const early = target.run(never, { deadlineMs: 200 }).catch(({ code }) => code);
    await runtime.close();
    await clock.advance(LONG_MS);
    expect(await early).toBe('HEALIX_DEADLINE');
    const late = target.run(never, { deadlineMs: 200 }).catch(({ code }) => code);
    await clock.advance(LONG_MS);
    expect(await late).toBe('HEALIX_DEADLINE');
    expect(clock.pending).toBe(0);
  });

  test('whoever waited is sent away, and no place is held for anybody', async () => {
    const world = setup();
    const { runtime, clock, target } = world;
    await open(world);
    const waiting = target.ready();
    await runtime.close();
    await expect(waiting).rejects.toMatchObject({ code: 'HEALIX_CLOSED' });
    await clock.advance(LONG_MS);
    expect([clock.pending, clock.keepsAlive]).toEqual([0, false]);
  });
});
