import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between clients and a server on this machine, and is the network that fails. */
export class TcpProxy {
  /** Whether replies reach the clients. */
  replies = true;
  /** Bytes from clients, as they come. */
  onRequest: (data: Buffer) => void = () => {};
  readonly #to: number;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #passes = true;

  private constructor(to: number) {
    this.#to = to;
    this.#server = createServer((near) => this.#join(near));
  }

  static async start(to: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(to);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends all connections; new ones are taken. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  /** Ends all connections, and each new one at once, until `mend`. */
  part(): void {
    this.#passes = false;
    this.cut();
  }

  mend(): void {
    this.#passes = true;
  }

  close(): void {
    this.part();
    this.#server.close();
  }

  #join(near: Socket): void {
    near.on('error', () => undefined);
    if (!this.#passes) return void near.destroy();
    const far = connect(this.#to, '127.0.0.1').on('error', () => undefined);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
    near.on('data', (data) => {
      this.onRequest(data);
      far.write(data);
    });
    far.on('data', (data) => this.replies && near.write(data));
  }
}
