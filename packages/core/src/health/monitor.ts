import type { Outcome } from '../config/schema.ts';
import { LatencyHistogram } from './histogram.ts';

/** Counts since the target was made. */
export interface CallCounts {
  success: number;
  failure: number;
  overload: number;
  ignored: number;
  slow: number;
}

/** A target's recent health, over `overMs`. */
export interface HealthSnapshot extends CallCounts {
  overMs: number;
  /** All but ignored calls. */
  calls: number;
  inFlight: number;
  failureRate: number;
  slowRate: number;
  /** Latencies in ms; undefined while nothing was timed. */
  p50: number | undefined;
  p95: number | undefined;
  p99: number | undefined;
  /** The last values of the target's own signals. */
  signals: Readonly<Record<string, number>>;
}

interface Sample extends CallCounts {
  at: number;
}

const WINDOW_MS = 10_000;
const QUANTILES = [0.5, 0.95, 0.99] as const;

/**
 * Counts what calls come to. The request path only ever adds one; a window is the difference between now and
 * a sample that the control loop took some seconds ago.
 */
export class HealthMonitor implements CallCounts {
  success = 0;
  failure = 0;
  overload = 0;
  ignored = 0;
  slow = 0;
  inFlight = 0;
  refused = 0;
  /** When the last call ended. */
  lastAt = Number.NEGATIVE_INFINITY;
  readonly latency = new LatencyHistogram(WINDOW_MS);
  readonly #samples: Sample[] = [];
  #signals: Map<string, number> | undefined;

  record(outcome: Outcome, latencyMs: number, slow: boolean, weight: number, now: number): void {
    if (outcome === 'success') this.success++;
    else if (outcome === 'failure') this.failure++;
    else if (outcome === 'overload') this.overload++;
    else {
      this.ignored++;
      return;
    }
    if (slow) this.slow++;
    if (weight > 0) this.latency.record(latencyMs, weight, now);
  }

  /** A signal of the user's own, such as a queue's depth. */
  signal(name: string, value: number): void {
    this.#signals ??= new Map();
    this.#signals.set(name, value);
  }

  /** Marks a point in time that windows may later begin at. The control loop calls it. */
  sample(now: number): void {
    const { success, failure, overload, ignored, slow } = this;
    this.#samples.push({ at: now, success, failure, overload, ignored, slow });
    while (this.#samples.length > 1 && (this.#samples[1] as Sample).at <= now - WINDOW_MS)
      this.#samples.shift();
  }

  /** The last ten seconds or so, or `sinceMs` if that is less. */
  snapshot(now: number, sinceMs: number = WINDOW_MS): HealthSnapshot {
    const from = this.#samples.findLast(({ at }) => at <= now - sinceMs) ?? this.#samples[0];
    const success = this.success - (from?.success ?? 0);
    const failure = this.failure - (from?.failure ?? 0);
    const overload = this.overload - (from?.overload ?? 0);
    const slow = this.slow - (from?.slow ?? 0);
    const ignored = this.ignored - (from?.ignored ?? 0);
    const calls = success + failure + overload;
    const [p50, p95, p99] = this.latency.quantiles(QUANTILES, now);
    return {
      overMs: from === undefined ? 0 : now - from.at,
      calls,
      success,
      failure,
      overload,
      ignored,
      slow,
      inFlight: this.inFlight,
      failureRate: calls === 0 ? 0 : failure / calls,
      slowRate: calls === 0 ? 0 : slow / calls,
      p50,
      p95,
      p99,
      signals: Object.fromEntries(this.#signals ?? []),
    };
  }
}
