import type { Server as HttpServer } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { Healing, TargetCounts, TargetStatus } from '@healix/core';
import supertest from 'supertest';
import { expect } from 'vitest';
import type { RawAnswer } from './raw-answer.ts';
import { RawClient, wire } from './raw-client.ts';
import type { App } from './subject.ts';
import { until } from './wait.ts';

/** A running app, its clients, and the runtime that heals it. */
export class Service {
  readonly origin: string;
  readonly port: number;
  readonly #app: App;
  readonly #runtime: Healing | undefined;
  /** Bytes that the server has read from connections that are closed by now. */
  #bytesRead = 0;
  readonly #sockets = new Set<Socket>();
  readonly #clients = new Set<RawClient>();
  readonly #sessions = new Set<ClientHttp2Session>();

  private constructor(app: App, runtime: Healing | undefined) {
    this.#app = app;
    this.#runtime = runtime;
    this.port = (app.server.address() as AddressInfo).port;
    this.origin = `http://127.0.0.1:${this.port}`;
    app.server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        this.#bytesRead += socket.bytesRead;
      });
    });
  }

  static async start(app: App, runtime: Healing | undefined): Promise<Service> {
    await new Promise<void>((resolve) => app.server.listen(0, '127.0.0.1', resolve));
    return new Service(app, runtime);
  }

  get runtime(): Healing {
    if (this.#runtime === undefined) throw new Error('this service is not healed');
    return this.#runtime;
  }

  /** Has the server break off connections on which nothing goes on for so long. */
  breakOffAfter(ms: number): void {
    (this.#app.server as HttpServer).setTimeout(ms);
  }

  /** Supertest, for requests that need nothing special. */
  get http() {
    return supertest(this.origin);
  }

  async connect(): Promise<RawClient> {
    const client = await RawClient.open(this.port);
    this.#clients.add(client);
    return client;
  }

  /** One request on a connection of its own. */
  async ask(method: string, path: string, headers: Record<string, string> = {}): Promise<RawAnswer> {
    const client = await this.connect();
    const answer = await client.send(wire(method, path, { headers })).answer(method);
    client.leave();
    this.#clients.delete(client);
    return answer;
  }

  /** @param socket a connection to the service, where the session's own is not enough */
  http2(socket?: Socket): ClientHttp2Session {
    const session = connectHttp2(this.origin, socket && { createConnection: () => socket });
    session.on('error', () => {});
    this.#sessions.add(session);
    return session;
  }

  /** What is known of a target; undefined where nothing was ever booked under that name. */
  status(name: string): TargetStatus | undefined {
    return this.runtime.status().targets[name];
  }

  get names(): string[] {
    return Object.keys(this.runtime.status().targets).sort();
  }

  /** What the server has read from all its connections. */
  get bytesRead(): number {
    let total = this.#bytesRead;
    for (const socket of this.#sockets) total += socket.bytesRead;
    return total;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  get inFlight(): number {
    const targets = Object.values(this.runtime.status().targets);
    return targets.reduce((sum, { inFlight }) => sum + inFlight, 0);
  }

  /** Until the counts of `name` are these, all that are left out being 0. */
  async booked(name: string, counts: Partial<TargetCounts>): Promise<void> {
    const none = { success: 0, failure: 0, overload: 0, ignored: 0, slow: 0, refused: 0 };
    await until(`${name} to be booked as ${JSON.stringify(counts)}`, () => {
      expect(this.status(name)?.counts).toMatchObject({ ...none, ...counts });
      return true;
    });
  }

  /** Clients leave; then nothing may be in flight any more, and nothing may have been released twice. */
  async settle(): Promise<void> {
    for (const client of this.#clients) client.leave();
    for (const session of this.#sessions) session.destroy();
    const runtime = this.#runtime;
    if (runtime === undefined) return;
    await until('every permit to come back once its client has left', () => {
      const held = Object.entries(runtime.status().targets).filter(([, target]) => target.inFlight !== 0);
      expect(held.map(([name, { inFlight }]) => `${name}: ${inFlight}`)).toEqual([]);
      return true;
    });
    const { lateReleases, permitsLeaked } = runtime.status().coverage;
    expect({ lateReleases, permitsLeaked }).toEqual({ lateReleases: 0, permitsLeaked: 0 });
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#app.server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await this.#app.close();
    await closed;
    await this.#runtime?.close();
  }
}
