import { createHealing, redisStore, type Target } from '@healix/core';
import type { RedisServer } from '../fleet/harness/redis-server.ts';

export interface NodeOptions {
  readonly server: RedisServer;
  readonly service: string;
  readonly target: string;
  readonly upstream: string;
  readonly circuit: object;
}

/** A replica in this process. */
export class NodeReplica {
  readonly target: Target;
  /** Why its circuit has changed, each time. */
  readonly reasons: string[] = [];
  readonly #runtime;
  readonly #upstream: string;
  #load: NodeJS.Timeout | undefined;

  constructor({ server, service, target, upstream, circuit }: NodeOptions) {
    this.#runtime = createHealing({
      shared: false,
      store: redisStore(server.client()),
      service,
      defaults: { circuit, retry: { maxRetries: 0 }, timeoutMs: 1_000 },
    });
    this.target = this.#runtime.target(target);
    this.#upstream = upstream;
    this.#runtime.on('transition', ({ reason }) => this.reasons.push(reason));
  }

  get connected(): boolean {
    return this.#runtime.status().fleet?.store.state === 'connected';
  }

  get state(): string {
    return this.target.status().state;
  }

  get forced(): string | null {
    return this.target.status().forced;
  }

  async call(times = 1): Promise<void> {
    for (let i = 0; i < times; i++) {
      await this.target
        .run(async ({ signal }) => {
          const { status } = await fetch(this.#upstream, { signal });
          if (status >= 500) throw new Error(`the upstream said ${status}`);
        })
        .catch(() => undefined);
    }
  }

  /** Calls that come by themselves, so many a second. */
  load(perSecond: number): void {
    clearInterval(this.#load);
    this.#load = perSecond === 0 ? undefined : setInterval(() => void this.call(), 1_000 / perSecond);
  }

  async close(): Promise<void> {
    this.load(0);
    await this.#runtime.close();
  }
}
