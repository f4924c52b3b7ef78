import type { CircuitSettings } from '../config/schema.ts';
import type { CallWindow } from './call-window.ts';
import { CountWindow } from './count-window.ts';
import { FailureStreak } from './failure-streak.ts';
import { TimeWindow } from './time-window.ts';
import { slowCallRate } from './trip-rules/slow-call-rate.ts';
import { tripRules } from './trip-rules.ts';

const OVERLOADS_LIKE_FAILURE = 5;

/** Gathers what the calls of a closed circuit come to, and says when they are reason enough to open it. */
export class TripJudge {
  #settings: CircuitSettings;
  #window: CallWindow;
  #slowCallMs: number;
  #streak: FailureStreak | undefined;
  #overloads = 0;

  constructor(settings: CircuitSettings) {
    this.#settings = settings;
    this.#window = makeWindow(settings);
    this.#slowCallMs = settings.slowCallMs ?? Number.POSITIVE_INFINITY;
  }

  /** Failures since the last success. */
  get streak(): number {
    return this.#streak?.length ?? 0;
  }

  isSlow(latencyMs: number): boolean {
    return latencyMs > this.#slowCallMs;
  }

  /** A success that was quick. */
  passed(now: number): void {
    this.#endStreak();
    this.#window.add(now, false, false);
  }

  /** Each of these returns the name of the rule by which the circuit is to open, or undefined. */
  succeeded(now: number, latencyMs: number): string | undefined {
    const slow = latencyMs > this.#slowCallMs;
    this.#endStreak();
    this.#window.add(now, false, slow);
    return slow ? this.#judge(now) : undefined;
  }

  failed(now: number, latencyMs: number): string | undefined {
    this.#addFailure(now, latencyMs > this.#slowCallMs);
    return this.#judge(now);
  }

  /** Overload leaves the rates alone, until it is all that there is: from five in a row on it is failure. */
  overloaded(now: number): string | undefined {
    this.#overloads++;
    if (this.#overloads < OVERLOADS_LIKE_FAILURE) return undefined;
    const failures = this.#overloads === OVERLOADS_LIKE_FAILURE ? OVERLOADS_LIKE_FAILURE : 1;
    for (let i = 0; i < failures; i++) this.#addFailure(now, false);
    return this.#judge(now);
  }

  /** The same for calls that have not ended yet, and are slow already. */
  hanging(hanging: number, now: number): string | undefined {
    this.#window.expire(now);
    const { calls, failures, slow } = this.#window;
    const evidence = { calls: calls + hanging, failures, slow: slow + hanging, streak: 0, streakMs: 0 };
    return slowCallRate.trips(evidence, this.#settings) ? slowCallRate.name : undefined;
  }

  counts(now: number): { calls: number; failures: number; slow: number } {
    this.#window.expire(now);
    const { calls, failures, slow } = this.#window;
    return { calls, failures, slow };
  }

  clear(): void {
    this.#window.clear();
    this.#streak = undefined;
    this.#overloads = 0;
  }

  /** Puts other settings in force; the counts are kept. */
  update(next: CircuitSettings, now: number): void {
    this.#window = resizeWindow(this.#window, this.#settings, next, now);
    if (next.consecutiveFailures !== this.#settings.consecutiveFailures) {
      this.#streak = this.#streak?.resized(next.consecutiveFailures);
    }
    this.#settings = next;
    this.#slowCallMs = next.slowCallMs ?? Number.POSITIVE_INFINITY;
  }

  #endStreak(): void {
    if (this.#streak !== undefined) this.#streak = undefined;
    this.#overloads = 0;
  }

  #addFailure(now: number, slow: boolean): void {
    this.#streak ??= new FailureStreak(this.#settings.consecutiveFailures);
    this.#window.add(now, true, slow);
    this.#streak.add(now);
  }

  #judge(now: number): string | undefined {
    const { calls, failures, slow } = this.#window;
    const { streak } = this;
    const streakMs = this.#streak?.spanMs(now) ?? Number.POSITIVE_INFINITY;
    const evidence = { calls, failures, slow, streak, streakMs };
    return tripRules.find((rule) => rule.trips(evidence, this.#settings))?.name;
  }
}

function makeWindow(settings: CircuitSettings): CallWindow {
  return settings.windowCalls === undefined
    ? new TimeWindow(settings.windowMs)
    : new CountWindow(settings.windowCalls);
}

function resizeWindow(
  window: CallWindow,
  from: CircuitSettings,
  to: CircuitSettings,
  now: number,
): CallWindow {
  if (from.windowMs === to.windowMs && from.windowCalls === to.windowCalls) return window;
  if (window instanceof TimeWindow && to.windowCalls === undefined) return window.resized(to.windowMs, now);
  if (window instanceof CountWindow && to.windowCalls !== undefined) return window.resized(to.windowCalls);
  return makeWindow(to);
}
