import { HealthMonitor, type HealthSample, HealthSampler } from '@healix/core/parts';
import { type Chance, Drift } from './chance.ts';

/** Length of one interval of the control loop, in s. */
export const STEP_S = 0.5;
/** A call that has taken so long hangs, in s; one that takes longer than the timeout fails. */
const HANG_S = 1;
const TIMEOUT_S = 10;
/** Latencies that are drawn an interval at most; a real histogram holds more, so that its quantiles are steadier. */
const MOST_DRAWN = 256;

/** What a service is like at one moment. */
export interface Moment {
  /** Calls a second. */
  readonly rate: number;
  readonly failureRate: number;
  readonly medianMs: number;
  /** Standard deviation of the latency's logarithm. */
  readonly sigma: number;
  /** Share of the calls that take `tailFactor` times as long. */
  readonly tailShare: number;
  readonly tailFactor: number;
  /** Share of the calls that never end by themselves. */
  readonly hangShare: number;
  /** Share of the calls that take 20 to 40 s, as they are meant to. */
  readonly pollShare: number;
}

/** Noise with a memory over what a moment says. */
export interface Noise {
  readonly rate: number;
  readonly latency: number;
  readonly failures: number;
}

/** What ends in one interval. */
interface Ending {
  calls: number;
  failures: number;
  /** Of those calls, the ones that were seen hanging. */
  hung: number;
  /** In ms, each with the calls that had it. */
  readonly latencies: [number, number][];
}

/** Calls of a service in virtual time, an interval at a time, counted by a monitor as those of a runtime are. */
export class Traffic {
  readonly monitor = new HealthMonitor();
  readonly #sampler = new HealthSampler(this.monitor);
  readonly #chance: Chance;
  readonly #rate: Drift;
  readonly #latency: Drift;
  readonly #failures: Drift;
  /** Calls that are still under way by the interval that they end in, and those by the one that they began to hang in. */
  readonly #ends = new Map<number, Ending>();
  readonly #hangs = new Map<number, number>();
  #hanging = 0;
  #step = 0;

  constructor(chance: Chance, noise: Noise) {
    this.#chance = chance;
    this.#rate = new Drift(chance, noise.rate, 20, STEP_S);
    this.#latency = new Drift(chance, noise.latency, 5, STEP_S);
    this.#failures = new Drift(chance, noise.failures, 30, STEP_S);
    this.monitor.sample(0);
  }

  /** One interval; the sample is what the control loop would see at its end. */
  next(moment: Moment): HealthSample {
    this.#step++;
    const chance = this.#chance;
    const arrived = chance.poisson(moment.rate * STEP_S * Math.exp(this.#rate.next()));
    const stuck = chance.binomial(arrived, moment.hangShare);
    const slowdown = Math.exp(this.#latency.next());
    const failing = Math.min(1, moment.failureRate * Math.exp(this.#failures.next()));
    this.monitor.inFlight += arrived;
    if (stuck > 0) this.#begin(stuck, stuck, TIMEOUT_S * 1_000);
    const polls = chance.binomial(arrived - stuck, moment.pollShare);
    for (let i = 0; i < polls; i++) this.#begin(1, 0, chance.between(20, 40) * 1_000);
    this.#serve(arrived - stuck - polls, failing, moment, slowdown);
    return this.#end();
  }

  /** Of many calls some are drawn, and each of these stands for several. */
  #serve(calls: number, failing: number, moment: Moment, slowdown: number): void {
    const drawn = Math.min(calls, MOST_DRAWN);
    const failures = this.#chance.binomial(calls, failing);
    let left = calls;
    let bad = failures;
    for (let i = drawn; i > 0; i--) {
      const stands = Math.round(left / i);
      const badHere = Math.min(stands, Math.round(bad / i + this.#chance.uniform() - 1 / 2), bad);
      const latencyMs = this.#drawLatency(moment, slowdown);
      if (latencyMs > TIMEOUT_S * 1_000) this.#begin(stands, stands, TIMEOUT_S * 1_000);
      else this.#begin(stands, Math.max(0, badHere), latencyMs);
      left -= stands;
      bad -= Math.max(0, badHere);
    }
  }

  #drawLatency({ medianMs, sigma, tailShare, tailFactor }: Moment, slowdown: number): number {
    const tail = tailShare > 0 && this.#chance.uniform() < tailShare ? tailFactor : 1;
    return medianMs * slowdown * tail * Math.exp(sigma * this.#chance.normal());
  }

  #begin(calls: number, failures: number, latencyMs: number): void {
    const seconds = latencyMs / 1_000;
    const endsIn = Math.floor((seconds + this.#chance.uniform() * STEP_S) / STEP_S);
    const hung = seconds > HANG_S ? calls : 0;
    if (hung > 0) {
      const at = this.#step + Math.floor(HANG_S / STEP_S);
      this.#hangs.set(at, (this.#hangs.get(at) ?? 0) + hung);
    }
    const at = this.#step + Math.max(hung > 0 ? HANG_S / STEP_S : 0, endsIn);
    const ending: Ending = this.#ends.get(at) ?? { calls: 0, failures: 0, hung: 0, latencies: [] };
    ending.calls += calls;
    ending.failures += failures;
    ending.hung += hung;
    ending.latencies.push([seconds * 1_000, calls]);
    this.#ends.set(at, ending);
  }

  #end(): HealthSample {
    const { monitor } = this;
    const now = this.#step * STEP_S * 1_000;
    this.#hanging += this.#hangs.get(this.#step) ?? 0;
    this.#hangs.delete(this.#step);
    const ending = this.#ends.get(this.#step);
    if (ending !== undefined) {
      this.#ends.delete(this.#step);
      this.#hanging -= ending.hung;
      monitor.inFlight -= ending.calls;
      monitor.failure += ending.failures;
      monitor.success += ending.calls - ending.failures;
      for (const [latencyMs, calls] of ending.latencies) monitor.latency.record(latencyMs, calls, now);
    }
    return this.#sampler.take(this.#hanging, now);
  }
}
