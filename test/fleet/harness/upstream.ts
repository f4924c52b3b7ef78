import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An upstream that all replicas call, and that fails when the test says so. */
export class Upstream {
  /** Requests so far. */
  requests = 0;
  status = 200;
  #hangs = false;
  readonly #held: ServerResponse[] = [];
  readonly #server = createServer((_req, res) => {
    this.requests++;
    if (this.#hangs) this.#held.push(res);
    else res.writeHead(this.status).end();
  });

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  /** Lets requests wait; answers them once it does no more. */
  hang(yes: boolean): void {
    this.#hangs = yes;
    if (!yes) for (const res of this.#held.splice(0)) res.writeHead(this.status).end();
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
