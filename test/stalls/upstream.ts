import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from '../conformance/harness/wait.ts';

/** A real server that answers when the test says so. */
export class Upstream {
  #held: ServerResponse[] = [];
  readonly #server = createServer((_req, res) => {
    if (this.#status === undefined) this.#held.push(res);
    else res.writeHead(this.#status).end('x');
  });
  #status: number | undefined;

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves once so many requests wait for their answer. */
  async holds(count: number): Promise<void> {
    await until(`${count} requests at the upstream`, () => this.#held.length >= count);
  }

  /** Answers those that wait, but for those at `silent`. It has written that when it resolves. */
  async answer(silent?: string): Promise<void> {
    const answered = this.#held.filter(({ req }) => req.url !== silent);
    this.#held = this.#held.filter(({ req }) => req.url === silent);
    await Promise.all(answered.map((res) => new Promise<void>((done) => res.writeHead(200).end('x', done))));
  }

  /** Answers at once from now on; undefined: waits again. */
  always(status: number | undefined): void {
    this.#status = status;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
