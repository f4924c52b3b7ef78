import { describe, expect, test } from 'vitest';
import type { TargetOptions } from './config/schema.ts';
import type { Permit } from './permit.ts';
import { createTestHealing, type TestHealingOptions } from './testing.ts';

// Virtual time, so that each order of events is certain. Real stalls are in `test/stalls`.

const CIRCUIT = { consecutiveFailures: 5, openMs: 1_000, probes: 1, probeTimeoutMs: 500, rampMs: 0 };

function setup(defaults: TargetOptions = {}, options: TestHealingOptions = {}) {
  const { runtime, clock } = createTestHealing({
    defaults: { retry: { maxRetries: 0 }, ...defaults, circuit: { ...CIRCUIT, ...defaults.circuit } },
    ...options,
  });
  const target = runtime.target('upstream:a');
  const acquire = () => {
    const permit = target.acquire();
    if (!permit.ok) throw permit.toError();
    return permit;
  };
  return { runtime, clock, target, acquire, counts: () => target.status().counts };
}

type World = ReturnType<typeof setup>;

const never = () => new Promise<never>(() => {});
const codeOf = (call: Promise<unknown>) => call.then(String, ({ code }) => code as string);

async function open({ target, clock }: World): Promise<void> {
  for (let i = 0; i < 5; i++) await target.run(() => Promise.reject(new Error('no'))).catch(() => {});
  expect(target.breaker.stateAt(clock.now())).toBe('open');
}

/** A circuit whose open time is over, and the one probe that it lets in. */
async function halfOpen(world: World) {
  await open(world);
  await world.clock.advance(1_300);
  const probe = world.acquire();
  expect(world.target.breaker.isProbe(probe.token)).toBe(true);
  return probe;
}

describe('the first call after a stall, before the late tick', () => {
  test('is let in where the open time has passed meanwhile', async () => {
    const world = setup();
    await open(world);
    world.clock.block(1_300);
    expect(world.target.acquire().ok).toBe(true);
  });

  test('has all of its own time', async () => {
    const { target, clock } = setup({ timeoutMs: 400 });
    target.acquire();
    clock.block(5_000);
    const calls = [target.run(never), target.run(never, { deadlineMs: 300 })].map(codeOf);
    const ended: string[] = [];
    for (const call of calls) call.then((code) => ended.push(code));
    await clock.advance(280);
    expect(ended).toEqual([]);
    await clock.advance(200);
    expect(ended).toEqual(['HEALIX_DEADLINE', 'HEALIX_DEADLINE']);
  });

  test('as a probe has all of its lease', async () => {
    const world = setup();
    await open(world);
    await world.clock.advance(1_300);
    world.clock.block(5_000);
    const probe = world.acquire();
    await world.clock.advance(400);
    world.target.release(probe, 'success');
    expect(world.target.state).toBe('closed');
  });
});

describe('what ran across a stall', () => {
  test.each([
    ['failures', 'failure', 0],
    ['slow answers', 'success', 0],
    // Past 64 calls a tick the clock is not read for each.
    ['failures of calls that are not timed', 'failure', 2_000],
  ] as const)(
    '%s are nobody else’s fault, before the late tick and after',
    async (_what, outcome, others) => {
      for (const late of [false, true]) {
        const { target, clock, runtime, acquire } = setup({ circuit: { slowCallMs: 300, minimumCalls: 5 } });
        for (let i = 0; i < others; i++) target.release(acquire(), 'success');
        await clock.advance(20);
        const permits = Array.from({ length: 20 }, acquire);
        expect(permits.some(({ weight }) => weight === 0)).toBe(others > 0);
        clock.block(1_000);
        if (late) await clock.advance(20);
        for (const permit of permits.filter(({ weight }) => others === 0 || weight === 0)) {
          target.release(permit, outcome);
        }
        await clock.advance(3_000);
        const { failure, slow } = target.monitor;
        expect({ failure, slow }).toEqual({ failure: 0, slow: 0 });
        expect([target.state, runtime.incidents().length]).toEqual(['closed', 0]);
      }
    },
  );

  test('good answers count as such', () => {
    const { target, clock, acquire, counts } = setup();
    const permit = acquire();
    clock.block(1_000);
    target.release(permit, 'success');
    expect(counts()).toMatchObject({ success: 1, ignored: 0 });
  });

  test('a caller that gave up meanwhile says nothing', () => {
    const { target, clock, acquire, counts } = setup({ timeoutMs: 300 });
    const permit = acquire();
    clock.block(1_000);
    target.abandon(permit, new DOMException('too slow', 'TimeoutError'));
    expect(counts()).toMatchObject({ failure: 0, ignored: 1 });
  });

  test('slow by more than the stall is slow', async () => {
    const { target, clock, acquire } = setup({ circuit: { slowCallMs: 300 } });
    const permits = [acquire(), acquire()];
    await clock.advance(250);
    clock.block(1_000);
    target.release(permits[0] as Permit, 'success');
    expect(target.monitor.slow).toBe(0);
    await clock.advance(100);
    target.release(permits[1] as Permit, 'success');
    expect(target.monitor.slow).toBe(1);
  });

  test('observe mode does not count it as timed out', async () => {
    const { target, clock } = setup({ timeoutMs: 300 }, { mode: 'observe' });
    const ends: (() => void)[] = [];
    for (let i = 0; i < 20; i++) target.run(() => new Promise<void>((resolve) => ends.push(resolve)));
    await clock.advance(40);
    clock.block(1_000);
    clock.afterPoll(() => {
      for (const end of ends) end();
    });
    await clock.advance(400);
    expect(target.status()).toMatchObject({ state: 'closed', wouldHave: undefined, counts: { success: 20 } });
  });
});

describe('a probe across a stall that is longer than its lease', () => {
  test.each([
    ['before the late tick', false],
    ['after it', true],
  ])('closes the circuit by an answer that is read %s', async (_when, late) => {
    const world = setup();
    const probe = await halfOpen(world);
    world.clock.block(5_000);
    if (late) await world.clock.advance(20);
    world.target.release(probe, 'success');
    expect(world.target.state).toBe('closed');
  });

  test('keeps its place: other callers do not take it for a failed one', async () => {
    const world = setup();
    const probe = await halfOpen(world);
    world.clock.block(5_000);
    expect(world.target.acquire()).toMatchObject({ ok: false, reason: 'circuit-open' });
    expect(world.target.breaker.isProbe(probe.token)).toBe(true);
  });

  test('gives its place back when it fails', async () => {
    const world = setup();
    const probe = await halfOpen(world);
    world.clock.block(5_000);
    world.target.release(probe, 'failure');
    expect(world.target.state).toBe('half-open');
    world.target.release(world.acquire(), 'success');
    expect(world.target.state).toBe('closed');
  });

  test('has failed if it is silent for the rest of its lease', async () => {
    const world = setup();
    await halfOpen(world);
    world.clock.block(5_000);
    await world.clock.advance(580);
    expect(world.target.acquire().ok).toBe(false);
    await world.clock.advance(80);
    expect(world.target.acquire().ok).toBe(false);
    expect(world.target.state).toBe('open');
  });
});

test('a circuit that was letting traffic back in has let in all of it after a stall', async () => {
  const world = setup({ circuit: { rampMs: 1_000 } });
  world.target.release(await halfOpen(world), 'success');
  expect(world.target.breaker.admittedShare()).toBeLessThan(0.5);
  world.clock.block(5_000);
  const permits = Array.from({ length: 20 }, () => world.target.acquire());
  expect(permits.filter(({ ok }) => ok)).toHaveLength(20);
});

test('the budget of repeats is neither spent nor overdrawn by a stall', async () => {
  const { target, clock } = setup({ retry: { maxRetries: 1, budget: 0.2, budgetPerSecond: 1 } });
  const { budget } = target;
  for (let i = 0; i < 100; i++) budget?.deposit();
  for (let i = 0; i < 30; i++) expect(budget?.tryWithdraw()).toBe(true);
  expect(budget?.tryWithdraw()).toBe(false);
  target.acquire();
  clock.block(60_000);
  await clock.advance(20);
  expect(budget?.available()).toBe(10);
});

describe('a stall and its aftershock', () => {
  test('excuse together what ran across both', async () => {
    const { clock, acquire, target, counts } = setup({ timeoutMs: 2_000 });
    const across = [acquire(), acquire()];
    clock.block(3_000);
    await clock.advance(300);
    clock.block(150);
    for (const permit of across) target.release(permit, 'failure');
    expect(counts()).toMatchObject({ ignored: 2, failure: 0 });
  });

  test('are over half a second later', async () => {
    const { clock, acquire, target, counts } = setup();
    acquire();
    clock.block(3_000);
    await clock.advance(520);
    const later = acquire();
    clock.block(150);
    target.release(later, 'failure');
    expect(counts()).toMatchObject({ ignored: 0, failure: 1 });
  });

  test('excuse what began between them for the aftershock alone', async () => {
    const { clock, acquire, target, counts } = setup();
    acquire();
    clock.block(3_000);
    await clock.advance(40);
    const between = acquire();
    await clock.advance(400);
    clock.block(150);
    await clock.advance(20);
    target.release(between, 'failure');
    expect(counts()).toMatchObject({ ignored: 0, failure: 1 });
  });
});

describe('what is judged although stalls come again and again', () => {
  test('an upstream that hangs', async () => {
    const { clock, target } = setup({ timeoutMs: 10_000 });
    for (let second = 0; second < 60; second++) {
      for (let i = 0; i < 5; i++) {
        target.run(never).catch(() => {});
        await clock.advance(200);
      }
      if (second % 8 !== 7) continue;
      clock.block(150);
      await clock.advance(20);
    }
    expect(target.status().state).not.toBe('closed');
    expect(target.status().counts.failure).toBeGreaterThan(50);
  });

  test.each([
    ['refuses at once', 30],
    ['hangs for longer than any stall', 700],
  ])('an upstream that %s, whatever the calls run across', async (_what, silentMs) => {
    const { clock, target } = setup();
    for (let second = 0; second < 4; second++) {
      for (let i = 0; i < 3; i++) {
        const call = () =>
          new Promise((_, reject) => clock.setTimer(() => reject(new Error('no')), silentMs));
        target.run(call).catch(() => {});
      }
      await clock.advance(1);
      clock.block(150);
      await clock.advance(849);
    }
    expect(target.status().counts.failure).toBeGreaterThanOrEqual(5);
    expect(target.status().state).not.toBe('closed');
  });

  test('an answer that says failure', async () => {
    const { clock, target } = setup();
    for (let i = 0; i < 5; i++) {
      const answering = target.run(async () => {
        clock.block(150);
        return { status: 500 };
      });
      await answering;
      await clock.advance(20);
    }
    expect(target.status().counts).toMatchObject({ failure: 5, ignored: 0 });
  });
});
