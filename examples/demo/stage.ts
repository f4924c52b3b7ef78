import { createServer } from 'node:net';
import { Child, Children } from './child-process.ts';
import type { Framework } from './frameworks/index.ts';
import type { Sample, Told, Variant } from './messages.ts';
import type { Fault, UpstreamName } from './schedule.ts';
import { PRODUCT_SHARE, RATE } from './settings.ts';

export type Role = Variant | UpstreamName;

export interface StageOptions {
  /** What serves the shop. */
  framework: Framework;
  /** Where each is to listen, if that port is free. Default: anywhere. */
  ports?: Readonly<Record<Role, number>>;
  onSample(sample: Sample): void;
  onTold(told: Told): void;
  onFault?(upstream: UpstreamName, fault: Fault): void;
}

/** All processes of the demo: two upstreams, the service with and without healing, and the load. */
export class Stage {
  readonly #options: StageOptions;
  readonly #children = new Children();
  readonly #upstreams = new Map<UpstreamName, Child>();
  #loadEnded: () => void = () => {};
  #load: Child | undefined;
  #urls: Record<Role, string> = { with: '', without: '', payments: '', catalog: '' };

  constructor(options: StageOptions) {
    this.#options = options;
  }

  get urls(): Readonly<Record<Role, string>> {
    return this.#urls;
  }

  async start(): Promise<void> {
    const [payments, catalog] = await Promise.all([this.#upstream('payments'), this.#upstream('catalog')]);
    const [healed, plain] = await Promise.all([
      this.#service('with', payments, catalog),
      this.#service('without', payments, catalog),
    ]);
    this.#urls = { payments, catalog, with: healed, without: plain };
    this.#load = this.#children.add(
      new Child('processes/load.ts', [], (report) => {
        if (report.type === 'samples') for (const sample of report.samples) this.#options.onSample(sample);
        if (report.type === 'done') this.#loadEnded();
      }),
    );
    await this.#load.ready;
  }

  /** Sends both services the same requests. Resolves when all are answered or given up. */
  load(forMs: number): Promise<void> {
    const { with: healed, without } = this.#urls;
    const services = { with: healed, without };
    this.#load?.tell({ type: 'load', services, each: 'all', rate: RATE, productShare: PRODUCT_SHARE, forMs });
    return new Promise((resolve) => {
      this.#loadEnded = resolve;
    });
  }

  inject(upstream: UpstreamName, fault: Fault): void {
    this.#upstreams.get(upstream)?.tell({ type: 'fault', fault });
  }

  stop(): Promise<void> {
    return this.#children.stop();
  }

  async #upstream(name: UpstreamName): Promise<string> {
    const child = new Child('processes/upstream.ts', [name, await this.#portFor(name)], (report) => {
      if (report.type === 'fault') this.#options.onFault?.(report.upstream, report.fault);
    });
    this.#upstreams.set(name, this.#children.add(child));
    return child.ready;
  }

  async #service(variant: Variant, payments: string, catalog: string): Promise<string> {
    const args = [variant, this.#options.framework, payments, catalog, await this.#portFor(variant)];
    const child = new Child('processes/service.ts', args, (report) => {
      if (report.type === 'told') this.#options.onTold(report.told);
    });
    return this.#children.add(child).ready;
  }

  async #portFor(role: Role): Promise<number> {
    const wanted = this.#options.ports?.[role] ?? 0;
    return (await isFree(wanted)) ? wanted : 0;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
