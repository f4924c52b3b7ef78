import type { CircuitState } from '@healix/core';
import type { Arrival, Moved, Sample } from '../messages.ts';
import type { Phase } from '../schedule.ts';
import { type Counts, noCounts } from '../tally.ts';
import { REPLICAS } from './settings.ts';

const LATELY_MS = 1_000;

/** One replica, as it is now. */
export class ReplicaTally {
  circuit: CircuitState = 'closed';
  /** What its clients saw. */
  readonly counts: Counts = noCounts();
  /** Probes that it has sent. */
  probes = 0;
  #answered: number[] = [];

  get failures(): number {
    return this.counts.error + this.counts.late;
  }

  add({ verdict, at, ms }: Sample): void {
    this.counts[verdict]++;
    this.#answered.push(at + ms);
  }

  /** Requests that it has answered lately, a second. */
  perSecond(now: number): number {
    this.#answered = this.#answered.filter((at) => at > now - LATELY_MS);
    return this.#answered.length / (LATELY_MS / 1_000);
  }
}

/** What one half has shown. Times are ms since the load began. */
export class FleetTally {
  readonly replicas: ReadonlyMap<string, ReplicaTally> = new Map(
    REPLICAS.map((name) => [name, new ReplicaTally()]),
  );
  /** Requests that have reached the upstream while it was dead, and how many of them were probes. */
  readonly reachedDead = { requests: 0, probes: 0 };
  readonly #outage: Phase;
  /** From its death until no replica had its circuit closed. */
  allOpenMs: number | undefined;
  /** From its return until every replica had. */
  allClosedMs: number | undefined;
  /** The same, while nothing was wrong yet. */
  #failedBefore = 0;
  #answeredBefore = 0;

  constructor(outage: Phase) {
    this.#outage = outage;
  }

  add(sample: Sample): void {
    this.#of(sample.service).add(sample);
    if (sample.at > this.#outage.from) return;
    this.#answeredBefore++;
    if (sample.verdict !== 'full') this.#failedBefore++;
  }

  arrived({ caller, isProbe, isDead }: Arrival): void {
    if (isProbe) this.#of(caller).probes++;
    if (!isDead) return;
    this.reachedDead.requests++;
    if (isProbe) this.reachedDead.probes++;
  }

  moved({ replica, to }: Moved, at: number): void {
    this.#of(replica).circuit = to;
    const { from, to: end } = this.#outage;
    if (at >= from && this.circuits.every((state) => state !== 'closed')) this.allOpenMs ??= at - from;
    if (at >= end && this.circuits.every((state) => state === 'closed')) this.allClosedMs ??= at - end;
  }

  get circuits(): CircuitState[] {
    return [...this.replicas.values()].map(({ circuit }) => circuit);
  }

  /** What all clients saw. */
  get counts(): Counts {
    const sum = noCounts();
    for (const { counts } of this.replicas.values()) {
      for (const verdict of Object.keys(sum) as (keyof Counts)[]) sum[verdict] += counts[verdict];
    }
    return sum;
  }

  /** Share of requests that failed before anything was wrong: this machine's doing. */
  get failedShareBefore(): number {
    return this.#failedBefore / Math.max(1, this.#answeredBefore);
  }

  #of(name: string): ReplicaTally {
    return this.replicas.get(name) as ReplicaTally;
  }
}
