import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** What a host does with a request: answers, fails, answers late, or never. */
export type Condition = 'well' | 'fails' | 'slow' | 'hangs';

const SERVICE_MS = 5;
const SLOWER = 50;

/** Several servers that do the same, each in its own condition. */
export class ManyHosts {
  readonly conditions: Condition[];
  /** Requests that came, by host. */
  readonly counts: number[];
  readonly seen: { host: string | undefined; url: string | undefined }[] = [];
  readonly #servers: Server[];
  readonly #sockets = new Set<Socket>();

  constructor(size = 4) {
    this.conditions = Array.from({ length: size }, () => 'well');
    this.counts = Array.from({ length: size }, () => 0);
    this.#servers = this.conditions.map((_, index) =>
      createServer((req, res) => {
        this.counts[index] = (this.counts[index] as number) + 1;
        this.seen.push({ host: req.headers.host, url: req.url });
        const condition = this.conditions[index] as Condition;
        if (condition === 'hangs') return;
        res.statusCode = condition === 'fails' ? 500 : 200;
        const answer = () => res.end(`${index}`);
        if (condition === 'fails') answer();
        else setTimeout(answer, condition === 'slow' ? SERVICE_MS * SLOWER : SERVICE_MS);
      }).on('connection', (socket) => {
        this.#sockets.add(socket);
        socket.once('close', () => this.#sockets.delete(socket));
      }),
    );
  }

  get origins(): string[] {
    return this.#servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  async listen(): Promise<void> {
    await Promise.all(
      this.#servers.map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))),
    );
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#servers.map((server) => new Promise((done) => server.close(done))));
  }

  reset(): void {
    this.conditions.fill('well');
    this.counts.fill(0);
    this.seen.length = 0;
  }
}
