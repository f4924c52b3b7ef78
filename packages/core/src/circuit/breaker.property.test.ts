import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ForcedState, Outcome } from '../config/schema.ts';
import { VirtualClock } from '../time/virtual-clock.ts';
import { CircuitBreaker, type CircuitSnapshot } from './breaker.ts';
import { LEASE_MARGIN_MS, LONGEST_NOTICE_MS, Model, type Settings } from './breaker-model.test.ts';

/** By the settings that the runs choose among; no open time is longer than the longest notice. */
const LONGEST_LEASE_MS = 40_000 + LEASE_MARGIN_MS;

interface Real {
  breaker: CircuitBreaker;
  clock: VirtualClock;
  tokens: number[];
  snapshots: CircuitSnapshot[];
}
type Step = fc.Command<Model, Real>;

function step(name: string, run: (model: Model, real: Real, now: number) => void): Step {
  return {
    check: () => true,
    run(model, real) {
      run(model, real, real.clock.now());
      agree(model, real);
    },
    toString: () => name,
  };
}

function agree(model: Model, { breaker, clock }: Real): void {
  const now = clock.now();
  const due = model.state === 'open' && now >= model.openUntil;
  expect(breaker.state).toBe(due ? 'half-open' : model.state);
  expect(breaker.forced).toBe(model.forced);
  expect(breaker.noticeLeftMs()).toBeCloseTo(Math.max(0, model.notBefore - now));
  if (model.state === 'closed') model.checkCounts(breaker.countsAt(now), now);
  if (model.state === 'open' && model.forced === null) {
    expect(breaker.retryAfterMs()).toBeCloseTo(Math.max(0, model.openUntil - now));
  }
}

function acquire(model: Model, { breaker, tokens }: Real, now: number): number {
  if (model.state === 'half-open') model.endLeases(now);
  if (model.state === 'open' && now >= model.openUntil) model.beginTrial();
  const token = breaker.tryAcquire();
  if (model.state === 'open') expect(token).toBe(0);
  if (model.state === 'half-open') {
    expect(token > 0).toBe(model.free() > 0);
    if (token > 0) {
      expect(tokens).not.toContain(token);
      model.probes.push({ token, endsAt: now + model.leaseMs });
    }
  }
  if (model.state === 'closed') {
    if (token === 0) expect(model.closedByProbes && now < model.closedAt + model.settings.rampMs).toBe(true);
    else if (model.closedToken === undefined) expect(tokens).not.toContain(token);
    else expect(token).toBe(model.closedToken);
    if (token > 0) model.closedToken = token;
  }
  if (token > 0) tokens.push(token);
  return token;
}

const outcomes = fc.constantFrom<Outcome>('success', 'success', 'failure', 'failure', 'overload', 'ignored');
const latencies = fc.constantFrom(0, 10, 99, 100, 101, 5_000);
const settings: fc.Arbitrary<Settings> = fc.record(
  {
    failureRate: fc.constantFrom(0.2, 0.5, 1),
    slowCallRate: fc.constantFrom(0.3, 0.8),
    slowCallMs: fc.constantFrom(100, 600_000),
    windowMs: fc.constantFrom(100, 1_000, 10_000),
    windowCalls: fc.constantFrom(8, 10, 25),
    minimumCalls: fc.integer({ min: 1, max: 8 }),
    consecutiveFailures: fc.integer({ min: 1, max: 4 }),
    consecutiveWithinMs: fc.constantFrom(100, 60_000),
    openMs: fc.constantFrom(50, 1_000),
    maxOpenMs: fc.constantFrom(1_000, 20_000),
    probes: fc.integer({ min: 1, max: 5 }),
    probeTimeoutMs: fc.constantFrom(10, 1_000, 40_000),
    rampMs: fc.constantFrom(0, 1_000),
  },
  {
    requiredKeys: [
      'failureRate',
      'slowCallRate',
      'slowCallMs',
      'windowMs',
      'minimumCalls',
      'consecutiveFailures',
      'consecutiveWithinMs',
      'openMs',
      'maxOpenMs',
      'probes',
      'probeTimeoutMs',
      'rampMs',
    ],
  },
);

function verdictOn(which: number, outcome: Outcome, latencyMs: number, retryAfterMs: number): Step {
  return step(
    `record(#${which}, ${outcome}, ${latencyMs}, retryAfter ${retryAfterMs})`,
    (model, { breaker, tokens }, now) => {
      const token = which === 0 ? 0 : (tokens.at(-which) ?? 0);
      const counted = breaker.record(token, outcome, latencyMs, now, retryAfterMs);
      expect(counted).toBe(
        model.record(token, outcome, latencyMs, retryAfterMs, now, () => breaker.countsAt(now)),
      );
    },
  );
}

const steps: fc.Arbitrary<Step>[] = [
  fc.constant(step('acquire', acquire)),
  fc.constant(step('acquire', acquire)),
  fc.tuple(outcomes, latencies).map(([outcome, latency]) => verdictOn(1, outcome, latency, 0)),
  fc.tuple(fc.nat(12), outcomes, latencies, fc.constantFrom(0, 500, 1e9)).map((args) => verdictOn(...args)),
  fc
    .constantFrom(1, 9, 49, 333, 1_000, 2_000, 11_000, 130_000)
    .map((ms) => step(`advance ${ms}`, (_, { clock }) => clock.advanceSync(ms))),
  fc.constantFrom<ForcedState>('open', 'closed', null, null).map((to) =>
    step(`force ${to}`, (model, { breaker }, now) => {
      breaker.force(to);
      if (to === model.forced) return;
      const wasOpen = model.forced === 'open';
      model.forced = to;
      if (to === 'open') model.open(Number.POSITIVE_INFINITY);
      else if (to === null && wasOpen) model.openUntil = now;
      else model.close(now, false);
    }),
  ),
  settings.map((next) =>
    step(`update ${JSON.stringify(next)}`, (model, { breaker }) => {
      // A window of another kind or length starts anew or is regrouped: windows.test.ts looks at that.
      const { windowMs, windowCalls } = model.settings;
      const { windowCalls: _dropped, ...rest } = next;
      model.settings = { ...rest, windowMs, ...(windowCalls === undefined ? {} : { windowCalls }) };
      model.watch();
      breaker.update(model.settings);
    }),
  ),
  fc.constant(
    step('snapshot', (_, { breaker, snapshots }) =>
      snapshots.push(JSON.parse(JSON.stringify(breaker.snapshot()))),
    ),
  ),
  fc.nat(3).map((which) =>
    step(`restore #${which}`, (model, { breaker, snapshots, clock }, now) => {
      const snapshot = snapshots.at(-1 - which);
      if (snapshot === undefined) return;
      breaker.restore(snapshot);
      Object.assign(model, { forced: snapshot.forced, openings: snapshot.openings });
      const left = Math.max(0, snapshot.openLeftMs - (clock.wall() - snapshot.wallMs));
      if (snapshot.forced === 'open') model.open(Number.POSITIVE_INFINITY);
      else if (snapshot.forced === 'closed' || snapshot.state === 'closed') model.close(now, false);
      else model.open(now + Math.min(left, Math.max(model.settings.maxOpenMs, LONGEST_NOTICE_MS)));
    }),
  ),
];

const endings = fc.array(
  fc.constantFrom<Outcome | 'hangs'>('success', 'failure', 'overload', 'ignored', 'hangs'),
  { minLength: 3, maxLength: 8 },
);

test('behaves like the model, and whatever probes do, admits a call again after a bounded time', () => {
  fc.assert(
    fc.property(
      settings,
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      fc.commands(steps, { maxCommands: 80, size: 'max' }),
      endings,
      (initial, jitter, commands, ends) => {
        const clock = new VirtualClock();
        const breaker = new CircuitBreaker(initial, { clock, random: { next: () => jitter } });
        const model = new Model(initial, jitter);
        const real: Real = { breaker, clock, tokens: [], snapshots: [] };
        fc.modelRun(() => ({ model, real }), commands);
        breaker.force(null);
        for (const end of ends) {
          clock.advanceSync(LONGEST_LEASE_MS + LONGEST_NOTICE_MS);
          const token = breaker.tryAcquire();
          expect(token).toBeGreaterThan(0);
          if (end !== 'hangs') breaker.record(token, end, 0, clock.now(), 1e9);
        }
      },
    ),
    { numRuns: 500 },
  );
});
