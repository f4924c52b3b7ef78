import { expect, test } from 'vitest';
import type { CircuitOptions, ForcedState, Outcome } from '../config/schema.ts';
import type { CircuitBreaker } from './breaker.ts';
import type { CircuitState } from './circuit-machine.ts';

/** The settings that runs choose among, complete, so that the model needs no defaults. */
export type Settings = { [Name in Exclude<keyof CircuitOptions, 'windowCalls'>]-?: number } & {
  windowCalls?: number;
};
interface Call {
  at: number;
  failed: boolean;
  slow: boolean;
}
interface Probe {
  token: number;
  endsAt: number;
  verdict?: 'succeeded' | 'failed' | 'unused';
}

export const LEASE_MARGIN_MS = 100;
export const LONGEST_NOTICE_MS = 60_000;

/** A breaker as one would write it with all the time in the world: it keeps every call, and looks again. */
export class Model {
  settings: Settings;
  state: CircuitState = 'closed';
  forced: ForcedState = null;
  calls: Call[] = [];
  inARow = 0;
  /** Only as many as the settings watch. */
  failureTimes: number[] = [];
  overloads = 0;
  openings = 0;
  openUntil = 0;
  notBefore = 0;
  closedAt = Number.NEGATIVE_INFINITY;
  closedByProbes = false;
  closedToken: number | undefined;
  probes: Probe[] = [];
  probesAllowed = 0;
  leaseMs = 0;
  readonly jitter: number;

  constructor(settings: Settings, jitter: number) {
    this.settings = settings;
    this.jitter = jitter;
  }

  /** A trial keeps the settings that it began with. */
  beginTrial(): void {
    this.state = 'half-open';
    this.probesAllowed = this.settings.probes;
    const grown = this.settings.probeTimeoutMs * 2 ** Math.max(0, this.openings - 1);
    this.leaseMs = Math.min(grown, Math.max(30_000, this.settings.probeTimeoutMs)) + LEASE_MARGIN_MS;
  }

  running(): Probe[] {
    return this.probes.filter((probe) => probe.verdict === undefined);
  }

  count(verdict: Probe['verdict']): number {
    return this.probes.filter((probe) => probe.verdict === verdict).length;
  }

  free(): number {
    return this.probesAllowed - this.running().length - this.count('succeeded') - this.count('failed');
  }

  endLeases(now: number): void {
    const ended = this.running().filter((probe) => probe.endsAt <= now);
    for (const probe of ended) probe.verdict = 'failed';
    if (ended.length > 0) this.decide(now, Math.max(...ended.map((probe) => probe.endsAt)));
  }

  decide(now: number, from: number): void {
    if (this.count('succeeded') > this.probesAllowed / 2) this.close(now, true);
    else if (this.count('failed') >= this.probesAllowed / 2) this.trip(from);
  }

  trip(from: number): void {
    const { openMs, maxOpenMs } = this.settings;
    const grown = openMs * 2 ** this.openings * (0.8 + 0.4 * this.jitter);
    const open = Math.min(grown, maxOpenMs * (0.8 + 0.2 * this.jitter));
    this.openings++;
    this.open(Math.max(from + open, this.notBefore));
  }

  open(until: number): void {
    this.state = 'open';
    this.openUntil = until;
    this.closedToken = undefined;
    this.probes = [];
  }

  close(now: number, byProbes: boolean): void {
    Object.assign(this, {
      state: 'closed',
      calls: [],
      inARow: 0,
      failureTimes: [],
      overloads: 0,
      probes: [],
    });
    this.closedAt = now;
    this.closedByProbes = byProbes;
    this.closedToken = undefined;
  }

  /** What the breaker counts must lie between what is surely inside the window and what may be. */
  checkCounts(counts: ReturnType<CircuitBreaker['countsAt']>, now: number): void {
    const { windowCalls, windowMs } = this.settings;
    const newest = (calls: number) => (calls === 0 ? [] : this.calls.slice(-calls));
    const surely = windowCalls
      ? newest(windowCalls)
      : this.calls.filter(({ at }) => now - at < 0.9 * windowMs);
    const maybe = windowCalls ? surely : this.calls.filter(({ at }) => now - at < windowMs);
    const sums = (calls: Call[]) => [
      calls.length,
      calls.filter((c) => c.failed).length,
      calls.filter((c) => c.slow).length,
    ];
    const [least, most] = [sums(surely), sums(maybe)];
    [counts.calls, counts.failures, counts.slow].forEach((count, field) => {
      expect(count).toBeGreaterThanOrEqual(least[field] as number);
      expect(count).toBeLessThanOrEqual(most[field] as number);
    });
  }

  trips({ calls, failures, slow }: ReturnType<CircuitBreaker['countsAt']>, now: number): boolean {
    const { minimumCalls, failureRate, slowCallRate, consecutiveFailures, consecutiveWithinMs } =
      this.settings;
    if (calls >= minimumCalls && (failures >= failureRate * calls || slow >= slowCallRate * calls))
      return true;
    if (this.inARow >= Math.max(minimumCalls, 4 * consecutiveFailures)) return true;
    const first = this.failureTimes.at(-consecutiveFailures) ?? Number.NEGATIVE_INFINITY;
    return calls < minimumCalls && now - first <= consecutiveWithinMs;
  }

  /** Returns whether the verdict counts; `counts` is what the breaker counted when it judged. */
  record(
    token: number,
    outcome: Outcome,
    latencyMs: number,
    retryAfterMs: number,
    now: number,
    counts: () => ReturnType<CircuitBreaker['countsAt']>,
  ): boolean {
    if (this.state === 'half-open') this.endLeases(now);
    const slow = latencyMs > this.settings.slowCallMs;
    if (this.state === 'half-open') {
      const probe = this.running().find((running) => running.token === token);
      if (probe === undefined) return false;
      probe.verdict =
        outcome === 'ignored' ? 'unused' : outcome === 'success' && !slow ? 'succeeded' : 'failed';
      if (outcome === 'overload') this.heed(now, retryAfterMs);
      this.decide(now, now);
      return true;
    }
    if (this.state !== 'closed' || token !== this.closedToken) return false;
    if (outcome === 'overload') this.heed(now, retryAfterMs);
    this.book(outcome, slow, now);
    this.checkCounts(counts(), now);
    const bad =
      outcome === 'failure' ||
      (outcome === 'overload' && this.overloads >= 5) ||
      (outcome === 'success' && slow);
    if (bad && this.forced === null && this.trips(counts(), now)) {
      if (now - this.closedAt > this.settings.windowMs) this.openings = 0;
      this.trip(now);
    }
    return true;
  }

  book(outcome: Outcome, slow: boolean, now: number): void {
    if (outcome === 'ignored') return;
    if (outcome === 'success') {
      this.inARow = 0;
      this.failureTimes = [];
      this.overloads = 0;
      this.calls.push({ at: now, failed: false, slow });
      return;
    }
    const failures = outcome === 'failure' ? 1 : ++this.overloads === 5 ? 5 : this.overloads > 5 ? 1 : 0;
    for (let i = 0; i < failures; i++) {
      this.calls.push({ at: now, failed: true, slow: slow && outcome === 'failure' });
      this.inARow++;
      this.failureTimes.push(now);
    }
    this.watch();
  }

  watch(): void {
    this.failureTimes = this.failureTimes.slice(-this.settings.consecutiveFailures);
  }

  heed(now: number, retryAfterMs: number): void {
    this.notBefore = Math.max(this.notBefore, now + Math.min(retryAfterMs, LONGEST_NOTICE_MS));
  }
}

const calm: Settings = {
  failureRate: 0.5,
  slowCallRate: 0.8,
  slowCallMs: 600_000,
  windowMs: 10_000,
  minimumCalls: 1,
  consecutiveFailures: 4,
  consecutiveWithinMs: 60_000,
  openMs: 1_000,
  maxOpenMs: 1_000,
  probes: 3,
  probeTimeoutMs: 1_000,
  rampMs: 0,
};

test('the model opens at its failure rate, and closes after a good probe', () => {
  const model = new Model({ ...calm, probes: 1 }, 0.5);
  const record = (token: number, now: number) =>
    model.record(token, model.state === 'closed' ? 'failure' : 'success', 0, 0, now, () => ({
      calls: 1,
      failures: 1,
      slow: 0,
    }));
  model.closedToken = 1;
  record(1, 0);
  expect([model.state, model.openUntil]).toEqual(['open', 900]);
  model.beginTrial();
  model.probes.push({ token: 2, endsAt: 2_000 });
  record(1, 1_100);
  expect(model.state).toBe('half-open');
  record(2, 1_100);
  expect(model.state).toBe('closed');
});
