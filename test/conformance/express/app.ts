import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHealing, type Healing, type HealingOptions } from '@healix/core';
import { type HealingOptions as AdapterOptions, healing } from '@healix/express';
import express from 'express';
import express4 from 'express4';
import express50 from 'express50';
import { expect } from 'vitest';
import { RawClient, wire } from '../harness/raw-client.ts';
import { until } from '../harness/wait.ts';

/** Express listens to the socket for each request that waits for its turn; Node warns of more than ten. */
const AT_ONCE = 8;

export type Express = typeof express;

export const VERSIONS: readonly (readonly [name: string, module: Express])[] = [
  ['Express 5', express],
  ['Express 5.0.1 with router 2.0.0', express50],
  ['Express 4', express4 as unknown as Express],
];

/** A healed app that listens, for one test. */
export class HealedApp {
  app: express.Express;
  readonly runtime: Healing;
  #server: Server | undefined;
  #base = '';

  constructor(module: Express, options: AdapterOptions = {}, runtimeOptions: HealingOptions = {}) {
    this.runtime = createHealing({ shared: false, ...runtimeOptions });
    this.app = module();
    this.app.set('env', 'test');
    this.app.use(healing({ runtime: this.runtime, ...options }));
  }

  get base(): string {
    return this.#base;
  }

  /** @param around what each request runs in */
  async listen(around = (serve: () => void) => serve()): Promise<void> {
    const { app } = this;
    const server = createServer((req, res) => around(() => app(req, res)));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** The statuses of one request to each path, one after the other. */
  async ask(...requests: string[]): Promise<number[]> {
    const statuses: number[] = [];
    for (const request of requests) {
      const [path = '', method = 'GET'] = request.split(' ').reverse();
      const answer = await fetch(this.#base + path, { method });
      await answer.arrayBuffer();
      statuses.push(answer.status);
    }
    return statuses;
  }

  /** Many requests, a few at once, on one connection. */
  async askMany(paths: readonly string[]): Promise<void> {
    const client = await RawClient.open(Number(new URL(this.#base).port));
    for (let i = 0; i < paths.length; i += AT_ONCE) {
      const some = paths.slice(i, i + AT_ONCE);
      client.send(some.map((path) => wire('GET', path)).join(''));
      for (const _ of some) await client.answer();
    }
    client.leave();
  }

  /** How many requests were booked under each name, refusals left out. */
  async booked(expected: Record<string, number>): Promise<void> {
    const total = Object.values(expected).reduce((sum, count) => sum + count, 0);
    await until('all requests to be booked', () => this.#total() >= total);
    expect(this.#names()).toEqual(expected);
  }

  get corrected(): number {
    return this.runtime.status().coverage.namesCorrected;
  }

  async close(): Promise<void> {
    this.#server?.closeAllConnections();
    this.#server?.close();
    await this.runtime.close();
  }

  #names(): Record<string, number> {
    const names: Record<string, number> = {};
    for (const [name, { counts }] of Object.entries(this.runtime.status().targets)) {
      const count = counts.success + counts.failure + counts.ignored + counts.overload;
      if (count > 0) names[name.replace(/^route:/, '')] = count;
    }
    return names;
  }

  #total(): number {
    return Object.values(this.#names()).reduce((sum, count) => sum + count, 0);
  }
}
