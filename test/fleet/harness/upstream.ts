import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An upstream that all replicas call, and that fails when the test says so. */
export class Upstream {
  /** Requests so far. */
  requests = 0;
  status = 200;
  #hangs = false;
  readonly #server = createServer((_req, res) => {
    this.requests++;
    if (!this.#hangs) res.writeHead(this.status).end();
  });

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  hang(yes: boolean): void {
    this.#hangs = yes;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
