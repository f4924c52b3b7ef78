import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Outcome } from './config/schema.ts';
import type { Permit } from './permit.ts';
import type { Target } from './target.ts';
import { createTestHealing } from './testing.ts';

const OUTCOMES: Outcome[] = ['success', 'failure', 'overload', 'ignored'];
const pick = fc.nat({ max: 1_000 });

/** One step of a random story; numbers choose among what there is at that moment. */
const step = fc.oneof(
  fc.record({ do: fc.constant('acquire' as const), target: pick }),
  fc.record({ do: fc.constant('run' as const), target: pick, idempotent: fc.boolean() }),
  fc.record({ do: fc.constant('settle' as const), call: pick, well: fc.boolean() }),
  fc.record({ do: fc.constant('abort' as const), call: pick }),
  fc.record({ do: fc.constant('release' as const), permit: pick, outcome: pick }),
  fc.record({ do: fc.constant('release again' as const), permit: pick }),
  fc.record({ do: fc.constant('move' as const), permit: pick, target: pick, outcome: pick }),
  fc.record({ do: fc.constant('abandon' as const), permit: pick }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 900 }) }),
  fc.record({ do: fc.constant('stall' as const), ms: fc.integer({ min: 50, max: 600 }) }),
  fc.record({ do: fc.constant('force' as const), target: pick, to: fc.constantFrom('open', 'closed', null) }),
  fc.record({ do: fc.constant('update' as const), target: pick, exempt: fc.boolean() }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

interface Call {
  settle(well: boolean): void;
  readonly abort: AbortController;
  readonly done: Promise<unknown>;
}

class World {
  readonly runtime;
  readonly clock;
  readonly targets: Target[];
  readonly held: { target: Target; permit: Permit }[] = [];
  readonly spent: { target: Target; permit: Permit }[] = [];
  readonly calls: Call[] = [];
  running = new Map<Target, number>();
  settled = 0;
  late = 0;

  constructor(mode: 'heal' | 'observe') {
    const { runtime, clock } = createTestHealing({
      mode,
      defaults: {
        timeoutMs: 300,
        policy: { concurrency: 6 },
        circuit: { consecutiveFailures: 3, rampMs: 200 },
      },
    });
    this.runtime = runtime;
    this.clock = clock;
    this.targets = ['upstream:a', 'upstream:b', 'route:GET /c'].map((name) => runtime.target(name));
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'acquire': {
        const target = this.#target(step.target);
        const permit = target.acquire();
        if (permit.ok) this.held.push({ target, permit });
        return;
      }
      case 'run':
        return this.#run(this.#target(step.target), step.idempotent);
      case 'settle':
        return this.calls[step.call % this.calls.length]?.settle(step.well);
      case 'abort':
        return this.calls[step.call % this.calls.length]?.abort.abort(new Error('gone'));
      case 'release':
        return this.#spend(step.permit, ({ target, permit }) =>
          target.release(permit, outcomeOf(step.outcome)),
        );
      case 'move':
        return this.#spend(step.permit, ({ target, permit }) =>
          target.release(permit, outcomeOf(step.outcome), this.#target(step.target)),
        );
      case 'abandon':
        return this.#spend(step.permit, ({ target, permit }) => target.abandon(permit));
      case 'release again': {
        const spent = this.spent[step.permit % this.spent.length];
        if (spent === undefined) return;
        this.late++;
        return spent.target.release(spent.permit, 'failure');
      }
      case 'wait':
        return this.clock.advance(step.ms);
      case 'stall':
        return this.clock.block(step.ms);
      case 'force':
        await this.#target(step.target).force(step.to as 'open' | 'closed' | null);
        return;
      case 'update':
        return this.#target(step.target).update({ exempt: step.exempt });
    }
  }

  /** Attempts that functions are at, as the functions themselves see it, and permits in hand. */
  expectInFlight(): void {
    for (const target of this.targets) {
      const held = this.held.filter((entry) => entry.target === target).length;
      expect(target.monitor.inFlight).toBe(held + this.#attemptsOf(target));
    }
  }

  #attempts = new Set<{ target: Target; signal: AbortSignal; ended: boolean }>();

  #attemptsOf(target: Target): number {
    let under = 0;
    for (const attempt of this.#attempts) {
      if (attempt.target === target && !attempt.ended && !attempt.signal.aborted) under++;
    }
    return under;
  }

  #run(target: Target, idempotent: boolean): void {
    const abort = new AbortController();
    const waiting = new Set<(well: boolean) => void>();
    const done = target
      .run(
        ({ signal }) => {
          const attempt = { target, signal, ended: false };
          this.#attempts.add(attempt);
          return new Promise<void>((resolve, reject) => {
            waiting.add((well) => {
              attempt.ended = true;
              if (well) resolve();
              else reject(new Error('failed'));
            });
          });
        },
        { idempotent, signal: abort.signal },
      )
      .catch(() => {})
      .finally(() => this.settled++);
    const settle = (well: boolean) => {
      for (const end of waiting) end(well);
      waiting.clear();
    };
    this.calls.push({ settle, abort, done });
  }

  #spend(choice: number, how: (entry: { target: Target; permit: Permit }) => void): void {
    const [entry] = this.held.splice(choice % Math.max(1, this.held.length), 1);
    if (entry === undefined) return;
    how(entry);
    this.spent.push(entry);
  }

  #target(choice: number): Target {
    return this.targets[choice % this.targets.length] as Target;
  }
}

const outcomeOf = (choice: number) => OUTCOMES[choice % OUTCOMES.length] as Outcome;

describe.each(['heal', 'observe'] as const)('in mode %s', (mode) => {
  test('every permit goes back exactly once, however calls end and interleave', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
        const world = new World(mode);
        for (const step of steps) {
          await world.take(step);
          await world.clock.advance(0);
          world.expectInFlight();
        }
        for (const call of world.calls) call.settle(true);
        while (world.held.length > 0) await world.take({ do: 'release', permit: 0, outcome: 0 });
        await world.clock.advance(5_000);
        for (const call of world.calls) call.settle(true);
        await world.clock.advance(100);
        await Promise.all(world.calls.map(({ done }) => done));

        expect(world.targets.map(({ monitor }) => monitor.inFlight)).toEqual([0, 0, 0]);
        expect(world.settled).toBe(world.calls.length);
        expect(world.runtime.status().coverage.lateReleases).toBe(world.late);
      }),
      { numRuns: 150 },
    );
  });
});

test('a rejection that is given to release changes nothing', async () => {
  const { runtime } = createTestHealing();
  const target = runtime.target('upstream:a');
  await target.force('open');
  const rejection = target.acquire();
  expect(rejection.ok).toBe(false);
  target.release(rejection as never, 'failure');
  expect(target.monitor.inFlight).toBe(0);
  expect(target.status().counts).toMatchObject({ failure: 0, refused: 1 });
});

test('a moved permit is booked where it belongs, and undone where it was', async () => {
  const { runtime } = createTestHealing();
  const [from, to] = [runtime.target('route:GET /a'), runtime.target('route:GET /b')];
  await from.force('open');
  await from.force(null);
  const probe = from.acquire();
  if (!probe.ok) throw probe.toError();
  expect(from.breaker.isProbe(probe.token)).toBe(true);
  from.release(probe, 'failure', to);
  expect(from.status().counts).toMatchObject({ success: 0, failure: 0 });
  expect(from.state).toBe('half-open');
  expect([from.acquire().ok, from.acquire().ok, from.acquire().ok, from.acquire().ok]).toEqual([
    true,
    true,
    true,
    false,
  ]);
  expect(to.status().counts).toMatchObject({ failure: 1 });
  expect(to.breaker.countsAt(to.time.now)).toMatchObject({ failures: 1 });
  expect(to.monitor.inFlight).toBe(0);
});
