import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An upstream that all replicas call, and that fails when the test says so. */
export class Upstream {
  /** When each request came, in wall-clock ms. */
  readonly times: number[] = [];
  status = 200;
  #hangs = false;
  readonly #server = createServer((_req, res) => {
    this.times.push(performance.timeOrigin + performance.now());
    if (!this.#hangs) res.writeHead(this.status).end();
  });

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  /** Requests so far. */
  get requests(): number {
    return this.times.length;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  hang(yes: boolean): void {
    this.#hangs = yes;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
