import { setTimeout as wait } from 'node:timers/promises';
import { LineView } from '../line-view.ts';
import type { Moved } from '../messages.ts';
import type { Phase } from '../schedule.ts';
import { WARM_UP_MS } from '../settings.ts';
import type { View } from '../view.ts';
import { AFTER_MS } from './settings.ts';
import { FleetStage, type FleetStageOptions } from './stage.ts';
import { FleetTally } from './tally.ts';
import { FleetTerminalView } from './terminal-view.ts';

const LOOK_EVERY_MS = 100;

export interface HalfOptions extends Pick<FleetStageOptions, 'framework' | 'sharing'> {
  readonly title: string;
  readonly outage: Phase;
}

/** One half of the demo: the replicas, with or without sharing, under the load and the outage. */
export class Half {
  readonly tally: FleetTally;
  readonly #title: string;
  readonly #outage: Phase;
  readonly #lengthMs: number;
  readonly #view: View;
  readonly #stage: FleetStage;
  #began = Number.POSITIVE_INFINITY;

  constructor({ title, outage, framework, sharing }: HalfOptions) {
    this.#title = title;
    this.#outage = outage;
    this.#lengthMs = outage.to + AFTER_MS;
    this.tally = new FleetTally(outage);
    this.#view = process.stdout.isTTY
      ? new FleetTerminalView(this.tally, title, this.#lengthMs, process.stdout)
      : new LineView(1_000, () => this.#summary());
    this.#stage = new FleetStage({
      framework,
      sharing,
      onSample: (sample) => this.tally.add(sample),
      onArrival: (arrival) => this.tally.arrived(arrival),
      onMoved: (moved) => this.#moved(moved),
    });
  }

  /** Starts its processes. */
  start(): Promise<void> {
    return this.#stage.start();
  }

  /** Where its replicas can be reached, once it was started. */
  get urls(): readonly string[] {
    return this.#stage.urls;
  }

  async run(): Promise<FleetTally> {
    if (!process.stdout.isTTY) console.log(this.#title.toUpperCase());
    this.#began = performance.now() + WARM_UP_MS;
    const loaded = this.#stage.load(this.#lengthMs);
    const looking = setInterval(() => this.#look(), LOOK_EVERY_MS);
    await Promise.all([loaded, this.#breakAndMend()]);
    clearInterval(looking);
    this.#view.end();
    console.log();
    await this.stop();
    return this.tally;
  }

  stop(): Promise<void> {
    return this.#stage.stop();
  }

  #now(): number {
    return performance.now() - this.#began;
  }

  #look(): void {
    const now = this.#now();
    if (now >= 0 && now <= this.#lengthMs + LOOK_EVERY_MS) this.#view.tick(now);
  }

  async #breakAndMend(): Promise<void> {
    const { from, to, fault } = this.#outage;
    await wait(from - this.#now());
    this.#stage.inject(fault);
    this.#view.phase(this.#outage, this.#now());
    await wait(to - this.#now());
    this.#stage.inject({ kind: 'none' });
    this.#view.phase(undefined, this.#now());
  }

  #moved(moved: Moved): void {
    const at = moved.at - performance.timeOrigin - this.#began;
    this.tally.moved(moved, at);
    const { replica, to, reason } = moved;
    this.#view.told({ target: replica, text: `circuit ${to} (${reason})`, kind: 'circuit' }, at);
  }

  #summary(): string {
    const now = this.#now();
    return [...this.tally.replicas]
      .map(([name, replica]) => {
        const { circuit, failures, probes } = replica;
        return `${name} ${circuit} ${replica.perSecond(now)}/s ${failures} failed ${probes} probes`;
      })
      .join(' | ');
  }
}
