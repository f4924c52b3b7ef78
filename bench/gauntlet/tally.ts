import { FIGURES } from './figures.ts';
import type { Times } from './scenario.ts';
import type { Answer, Attempt } from './world/attempt.ts';
import type { CallRequest } from './world/call-request.ts';
import type { UpstreamMeter } from './world/upstream.ts';

/** The measures of one run. Those without another word are over the requests that came within the window. */
export interface Measures {
  /** In the whole run. */
  readonly requests: number;
  readonly offered: number;
  /** Answered well before the caller had gone. */
  readonly good: number;
  /** Latency of the good ones in ms; undefined when there was none. */
  readonly p50?: number;
  readonly p99?: number;
  /** Share of the servers' time that went into work which nobody had an answer of. */
  readonly wasted: number;
  /** Attempts beyond the first, for each request. */
  readonly extraAttempts: number;
  /** Share of the requests that were never sent, though a server would have begun with them at once. */
  readonly refusedWithRoom: number;
  /** Requests not safe to repeat on which work was begun twice, in the whole run. */
  readonly unsafe: number;
  /**
   * From the fault's end to 95 % of the share of good answers before it, held for 3 s; undefined when that was not seen
   * within the window.
   */
  readonly recoveryMs?: number;
}

const BIN_MS = 100;
/** The share of good answers is looked at over so many bins. */
const BINS_LOOKED_AT = 5;

/** Takes down what happens in one run. */
export class Tally implements UpstreamMeter {
  readonly #times: Times;
  readonly #offeredBins: number[] = [];
  readonly #goodBins: number[] = [];
  readonly #latencies: number[] = [];
  #offered = 0;
  #extra = 0;
  #workMs = 0;
  #usefulMs = 0;
  #refusedWithRoom = 0;
  #unsafe = 0;

  constructor(times: Times) {
    this.#times = times;
  }

  arrived(request: CallRequest): void {
    count(this.#offeredBins, this.#bin(request.at));
    if (this.#inWindow(request.at)) this.#offered++;
  }

  sent(request: CallRequest): void {
    if (request.attempts > 1 && this.#inWindow(request.at)) this.#extra++;
  }

  began({ request, beganAt, workMs }: Attempt): void {
    if (!request.idempotent && request.executions === 2) this.#unsafe++;
    if (this.#inWindow(beganAt)) this.#workMs += workMs;
  }

  /** Work of what the upstream itself calls: only whether it was safe to begin is counted. */
  begunBehind({ request }: Attempt): void {
    if (!request.idempotent && request.executions === 2) this.#unsafe++;
  }

  good(request: CallRequest, { attempt }: Answer, now: number): void {
    count(this.#goodBins, this.#bin(request.at));
    if (this.#inWindow(request.at)) this.#latencies.push(now - request.at);
    if (this.#inWindow(attempt.beganAt)) this.#usefulMs += attempt.workMs;
  }

  refusedWithRoom(request: CallRequest): void {
    if (this.#inWindow(request.at)) this.#refusedWithRoom++;
  }

  get measures(): Measures {
    const offered = this.#offered;
    const sorted = this.#latencies.sort((a, b) => a - b);
    const recoveryMs = this.#recoveryMs();
    return {
      requests: this.#offeredBins.reduce((sum, bin) => sum + (bin ?? 0), 0),
      offered,
      good: sorted.length,
      ...(sorted.length > 0 && { p50: rank(sorted, 0.5), p99: rank(sorted, 0.99) }),
      wasted: this.#workMs === 0 ? 0 : Math.max(0, 1 - this.#usefulMs / this.#workMs),
      extraAttempts: this.#extra / offered,
      refusedWithRoom: this.#refusedWithRoom / offered,
      unsafe: this.#unsafe,
      ...(recoveryMs !== undefined && { recoveryMs }),
    };
  }

  #recoveryMs(): number | undefined {
    const { startAt, faultAt, mendedAt } = this.#times;
    const before = this.#goodShare(this.#bin(startAt), this.#bin(faultAt));
    const mended = this.#bin(mendedAt);
    const held = FIGURES.recoveredForMs / BIN_MS;
    for (let from = mended; from <= mended + FIGURES.afterMs / BIN_MS; from++) {
      let bin = from;
      while (bin < from + held) {
        if (this.#goodShare(bin, bin + BINS_LOOKED_AT) < FIGURES.recoveredShare * before) break;
        bin += BINS_LOOKED_AT;
      }
      if (bin >= from + held) return (from - mended) * BIN_MS;
    }
    return undefined;
  }

  #goodShare(from: number, to: number): number {
    let good = 0;
    let offered = 0;
    for (let bin = from; bin < to; bin++) {
      good += this.#goodBins[bin] ?? 0;
      offered += this.#offeredBins[bin] ?? 0;
    }
    return offered === 0 ? 1 : good / offered;
  }

  #bin(at: number): number {
    return Math.floor((at - this.#times.startAt) / BIN_MS);
  }

  #inWindow(at: number): boolean {
    return this.#times.faultAt <= at && at < this.#times.windowEndsAt;
  }
}

function count(bins: number[], bin: number): void {
  bins[bin] = (bins[bin] ?? 0) + 1;
}

function rank(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number;
}
