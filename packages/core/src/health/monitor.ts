import type { Outcome } from '../config/schema.ts';
import { LatencyHistogram } from './histogram.ts';

/** What calls came to. */
interface CallCounts {
  success: number;
  failure: number;
  overload: number;
  ignored: number;
  slow: number;
}

/** A target's recent health, over `overMs`. */
export interface HealthSnapshot extends Readonly<CallCounts> {
  readonly overMs: number;
  /** All but ignored calls, and those that hang. */
  readonly calls: number;
  readonly inFlight: number;
  /** Places taken up in relation to `policy.concurrency`; 0 where there is no limit. */
  readonly saturation: number;
  readonly failureRate: number;
  readonly slowRate: number;
  /** Latencies in ms; undefined while nothing was timed. */
  readonly p50: number | undefined;
  readonly p95: number | undefined;
  readonly p99: number | undefined;
  /** The last values of the target's own signals. */
  readonly signals: Readonly<Record<string, number>>;
}

/** The longest time that a snapshot looks back. */
export const WINDOW_MS = 10_000;
/** Ms between two samples. */
export const SAMPLE_MS = 500;
const SAMPLES = WINDOW_MS / SAMPLE_MS + 1;
const FIELDS = 6;
const QUANTILES = [0.5, 0.95, 0.99] as const;
const NO_SIGNALS: Readonly<Record<string, number>> = Object.freeze({});

/** Quantiles are worked out when they are first read: most snapshots are asked for their counts alone. */
class Snapshot implements HealthSnapshot {
  readonly success: number;
  readonly failure: number;
  readonly overload: number;
  readonly ignored: number;
  readonly slow: number;
  readonly overMs: number;
  readonly calls: number;
  readonly inFlight: number;
  readonly saturation: number;
  readonly signals: Readonly<Record<string, number>>;
  readonly #latency: LatencyHistogram;
  readonly #now: number;
  #quantiles: readonly (number | undefined)[] | undefined;

  constructor(monitor: HealthMonitor, now: number, overMs: number, counts: CallCounts) {
    this.success = counts.success;
    this.failure = counts.failure;
    this.overload = counts.overload;
    this.ignored = counts.ignored;
    this.slow = counts.slow + monitor.hanging;
    this.overMs = overMs;
    this.calls = counts.success + counts.failure + counts.overload + monitor.hanging;
    this.inFlight = monitor.inFlight;
    this.saturation = monitor.concurrency === undefined ? 0 : monitor.places / monitor.concurrency;
    this.signals = monitor.signals;
    this.#latency = monitor.latency;
    this.#now = now;
  }

  get failureRate(): number {
    return this.calls === 0 ? 0 : this.failure / this.calls;
  }

  get slowRate(): number {
    return this.calls === 0 ? 0 : this.slow / this.calls;
  }

  get p50(): number | undefined {
    return this.#latencies()[0];
  }

  get p95(): number | undefined {
    return this.#latencies()[1];
  }

  get p99(): number | undefined {
    return this.#latencies()[2];
  }

  #latencies(): readonly (number | undefined)[] {
    this.#quantiles ??= this.#latency.quantiles(QUANTILES, this.#now);
    return this.#quantiles;
  }
}

/**
 * Counts what calls come to. The request path only ever adds one; a window is the difference between now and
 * a sample that the control loop took some seconds ago.
 */
export class HealthMonitor implements CallCounts {
  inFlight = 0;
  /** Those in flight that take up no place: healing would have ended them, and observe mode lets them go on. */
  placeless = 0;
  success = 0;
  failure = 0;
  overload = 0;
  ignored = 0;
  slow = 0;
  refused = 0;
  /** Calls in flight that were found too slow already: they count as slow calls of now. */
  hanging = 0;
  /** The most calls that may be in flight, where there is a limit. */
  concurrency: number | undefined = undefined;
  readonly latency = new LatencyHistogram(WINDOW_MS);
  #samples: Float64Array | undefined;
  #sampled = 0;
  #signals: Readonly<Record<string, number>> | undefined;

  /** Places that are taken up. */
  get places(): number {
    return this.inFlight - this.placeless;
  }

  /** All calls that have ended. */
  get ended(): number {
    return this.success + this.failure + this.overload + this.ignored;
  }

  /** @param weight how many calls this one stands for in the latency histogram; 0: it was not timed */
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

  /** The last values of the target's own signals. */
  get signals(): Readonly<Record<string, number>> {
    return this.#signals ?? NO_SIGNALS;
  }

  /** A signal of the user's own, such as a queue's depth. */
  signal(name: string, value: number): void {
    this.#signals = { ...this.#signals, [name]: value };
  }

  /** Marks a point in time that no window begins before: there was nobody to sample what was before it. */
  restart(now: number): void {
    this.#sampled = 0;
    this.sample(now);
  }

  /** Marks a point in time that windows may begin at. */
  sample(now: number): void {
    this.#samples ??= new Float64Array(SAMPLES * FIELDS);
    const { success, failure, overload, ignored, slow } = this;
    this.#samples.set([now, success, failure, overload, ignored, slow], (this.#sampled % SAMPLES) * FIELDS);
    this.#sampled++;
  }

  /** What happened since about `sinceMs` ago, or since the first sample where that is less. */
  snapshot(now: number, sinceMs: number = WINDOW_MS): HealthSnapshot {
    const [at, success, failure, overload, ignored, slow] = this.#since(now - sinceMs, now);
    return new Snapshot(this, now, now - at, {
      success: this.success - success,
      failure: this.failure - failure,
      overload: this.overload - overload,
      ignored: this.ignored - ignored,
      slow: this.slow - slow,
    });
  }

  /** The latest sample at or before `from`, else the oldest, else the beginning. */
  #since(from: number, now: number): [number, number, number, number, number, number] {
    const samples = this.#samples;
    if (samples === undefined) return [now, 0, 0, 0, 0, 0];
    const oldest = Math.max(0, this.#sampled - SAMPLES);
    let index = this.#sampled - 1;
    while (index > oldest && (samples[(index % SAMPLES) * FIELDS] as number) > from) index--;
    const at = (index % SAMPLES) * FIELDS;
    return [...samples.subarray(at, at + FIELDS)] as [number, number, number, number, number, number];
  }
}
