import { Child, Children } from '../child-process.ts';
import type { Framework } from '../frameworks/index.ts';
import type { Arrival, Moved, Sample } from '../messages.ts';
import type { Fault } from '../schedule.ts';
import { RATE, REPLICAS } from './settings.ts';

export interface FleetStageOptions {
  readonly framework: Framework;
  /** Where the replicas share their circuits, and as which fleet; undefined: each heals for itself. */
  readonly sharing: { readonly redis: string; readonly service: string } | undefined;
  onSample(sample: Sample): void;
  onMoved(moved: Moved): void;
  /** A request of a replica's has reached the upstream. */
  onArrival(arrival: Arrival): void;
}

/** All processes of one half: the upstream, the replicas, and the load. */
export class FleetStage {
  readonly #options: FleetStageOptions;
  readonly #children = new Children();
  #upstream: Child | undefined;
  #load: Child | undefined;
  #services: Record<string, string> = {};
  #loadEnded: () => void = () => {};

  constructor(options: FleetStageOptions) {
    this.#options = options;
  }

  /** Where the replicas can be reached. */
  get urls(): readonly string[] {
    return Object.values(this.#services);
  }

  async start(): Promise<void> {
    const { onSample, onArrival } = this.#options;
    this.#upstream = this.#children.add(
      new Child('processes/upstream.ts', ['payments', 0], (report) => {
        if (report.type === 'arrived') onArrival(report);
      }),
    );
    const payments = await this.#upstream.ready;
    const urls = await Promise.all(REPLICAS.map((name) => this.#replica(name, payments)));
    this.#services = Object.fromEntries(REPLICAS.map((name, at) => [name, urls[at] as string]));
    this.#load = this.#children.add(
      new Child('processes/load.ts', [], (report) => {
        if (report.type === 'samples') for (const sample of report.samples) onSample(sample);
        if (report.type === 'done') this.#loadEnded();
      }),
    );
    await this.#load.ready;
  }

  /** Requests to the replicas by turns. Resolves when all are answered or given up. */
  load(forMs: number): Promise<void> {
    const services = this.#services;
    this.#load?.tell({ type: 'load', services, each: 'one', rate: RATE, productShare: 0, forMs });
    return new Promise((resolve) => {
      this.#loadEnded = resolve;
    });
  }

  inject(fault: Fault): void {
    this.#upstream?.tell({ type: 'fault', fault });
  }

  stop(): Promise<void> {
    return this.#children.stop();
  }

  #replica(name: string, payments: string): Promise<string> {
    const { framework, sharing, onMoved } = this.#options;
    const args = [name, framework, payments];
    if (sharing !== undefined) args.push(sharing.redis, sharing.service);
    const child = new Child('fleet/processes/replica.ts', args, (report) => {
      if (report.type === 'moved') onMoved(report);
    });
    return this.#children.add(child).ready;
  }
}
