import type { HealthSample } from './health-sample.ts';
import { LatencyMark } from './histogram.ts';
import type { HealthMonitor } from './monitor.ts';

const QUANTILES = [0.5, 0.95] as const;

/** Takes from a monitor what came of its calls since it was last asked. */
export class HealthSampler {
  readonly #monitor: HealthMonitor;
  readonly #mark = new LatencyMark();
  #calls: number;
  #failures: number;
  #overloads: number;
  #slow: number;
  #refused: number;

  constructor(monitor: HealthMonitor) {
    this.#monitor = monitor;
    this.#calls = callsOf(monitor);
    this.#failures = monitor.failure;
    this.#overloads = monitor.overload;
    this.#slow = monitor.slow;
    this.#refused = monitor.refused;
  }

  /** @param hanging calls in flight that have taken too long already */
  take(hanging: number, now: number): HealthSample {
    const monitor = this.#monitor;
    const [p50, p95] = monitor.latency.quantilesSince(this.#mark, QUANTILES, now);
    const sample: HealthSample = {
      calls: callsOf(monitor) - this.#calls,
      failures: monitor.failure - this.#failures,
      overloads: monitor.overload - this.#overloads,
      slow: monitor.slow - this.#slow,
      hanging,
      inFlight: monitor.inFlight,
      refused: monitor.refused - this.#refused,
      p50,
      p95,
    };
    this.#calls += sample.calls;
    this.#failures = monitor.failure;
    this.#overloads = monitor.overload;
    this.#slow = monitor.slow;
    this.#refused = monitor.refused;
    return sample;
  }
}

function callsOf({ success, failure, overload }: HealthMonitor): number {
  return success + failure + overload;
}
