import type { Anomaly } from './anomaly.ts';
import { FailurePredictor } from './failure-predictor.ts';
import { HangWatch } from './hang-watch.ts';
import type { HealthSample } from './health-sample.ts';
import { LatencyWatch } from './latency-watch.ts';
import { ShareWatch } from './share-watch.ts';
import { ThroughputWatch } from './throughput-watch.ts';

export interface AnomalyOptions {
  /** Share of failed (or of slow) calls from which on a target is not well. Default: 0.1. */
  readonly anomalyRate?: number;
}

/** Calls that make a median, and an upper quantile. */
const MEDIAN_CALLS = 10;
const TAIL_CALLS = 20;
/** Looks in a row at which failures must be predicted. */
const STEADY_TREND = 2;

/**
 * Tells whether a target is as it always was, by what was learned of it: the share of failed and of slow calls, the
 * median and the tail of its latency, calls that hang, and the traffic, each held against a baseline of its own by a
 * `ChangeDetector`. To be asked at each interval of the control loop (500 ms); of several anomalies the one that is told
 * is the one that the others may follow from.
 */
export class AnomalyDetector {
  readonly #anomalyRate: number;
  readonly #failing: ShareWatch;
  readonly #slow: ShareWatch;
  readonly #median = new LatencyWatch(0.5, MEDIAN_CALLS);
  readonly #tail = new LatencyWatch(0.95, TAIL_CALLS);
  readonly #hanging = new HangWatch();
  readonly #throughput = new ThroughputWatch();
  readonly #predictor = new FailurePredictor();
  #inFlight = 0;
  #trendLooks = 0;

  constructor({ anomalyRate = 0.1 }: AnomalyOptions = {}) {
    this.#anomalyRate = anomalyRate;
    this.#failing = new ShareWatch(anomalyRate);
    this.#slow = new ShareWatch(anomalyRate);
  }

  /** Probability that a call of the next second fails; 0 without evidence. */
  get failureProbability(): number {
    return this.#predictor.probability;
  }

  /** Takes up an interval; tells what is wrong now, and undefined as soon as nothing is. */
  look(sample: HealthSample, now: number): Anomaly | undefined {
    const { calls, failures, slow, hanging } = sample;
    const arrived = calls + sample.inFlight - this.#inFlight + (sample.refused ?? 0);
    this.#inFlight = sample.inFlight;
    const hangs = this.#hanging.look(hanging, now);
    const fails = this.#failing.look(failures, calls, now);
    const drags = this.#slow.look(slow, calls, now);
    const isSlow = this.#median.look(sample.p50, calls, now);
    const hasTail = this.#tail.look(sample.p95, calls, now);
    const isQuiet = this.#throughput.look(Math.max(0, arrived), now);
    const worsens = this.#worsens(calls, failures, now);
    if (hangs) return hang(sample);
    if (fails) return this.#failure(calls);
    if (worsens) return this.#trend(calls);
    if (isSlow) return slower('p50', this.#median);
    if (hasTail) return slower('p95', this.#tail);
    if (drags) return this.#dragging(calls);
    return isQuiet ? this.#drop() : undefined;
  }

  #worsens(calls: number, failures: number, now: number): boolean {
    this.#predictor.update(calls, failures, now);
    const likely = this.#predictor.probability >= Math.max(this.#anomalyRate, 3 * this.#failing.baseline);
    this.#trendLooks = likely ? this.#trendLooks + 1 : 0;
    return this.#trendLooks >= STEADY_TREND;
  }

  #failure(calls: number): Anomaly {
    const { share: failureRate, baseline } = this.#failing;
    return { kind: 'error-rate', severity: failureRate, evidence: { calls, failureRate, baseline } };
  }

  #trend(calls: number): Anomaly {
    const { probability } = this.#predictor;
    const { share: failureRate, baseline } = this.#failing;
    return { kind: 'trend', severity: probability, evidence: { calls, failureRate, probability, baseline } };
  }

  #dragging(calls: number): Anomaly {
    const { share: slowRate, baseline } = this.#slow;
    return { kind: 'latency', severity: slowRate, evidence: { calls, slowRate, baseline } };
  }

  #drop(): Anomaly {
    const { perSecond, baseline } = this.#throughput;
    const severity = Math.max(0, 1 - perSecond / baseline);
    return { kind: 'throughput-drop', severity, evidence: { perSecond, baseline } };
  }
}

function hang({ hanging, inFlight }: HealthSample): Anomaly {
  return {
    kind: 'hang',
    severity: Math.min(1, hanging / Math.max(1, inFlight)),
    evidence: { hanging, inFlight },
  };
}

function slower(quantile: 'p50' | 'p95', { latencyMs, baselineMs }: LatencyWatch): Anomaly {
  const severity = Math.max(0, 1 - baselineMs / latencyMs);
  return { kind: 'latency', severity, evidence: { [quantile]: latencyMs, baseline: baselineMs } };
}
