import type { IncomingHttpHeaders } from 'node:http';

/** One header that tells a service of its caller's wishes. */
export interface HeaderSettings {
  readonly name: string;
  /** Whether what callers say by it is believed. */
  readonly trust: boolean;
  /** Whether upstreams are told by it; undefined: where it is trusted. */
  readonly send?: boolean | undefined;
}

/** Milliseconds in whole numbers: at most eleven days. */
const MS = /^\d{1,9}$/;

/**
 * How the time that a call has left travels from service to service: as milliseconds that remain, since the clocks of
 * two hosts agree on nothing else (gRPC's `grpc-timeout` does the same).
 */
export class Propagation {
  readonly #deadline: HeaderSettings;

  constructor(deadline: HeaderSettings) {
    this.#deadline = { ...deadline, name: deadline.name.toLowerCase() };
  }

  /** Ms that the caller of a request gives it; undefined where it says nothing, nonsense, or is not believed. */
  leftMsOf(headers: IncomingHttpHeaders): number | undefined {
    if (!this.#deadline.trust) return undefined;
    const text = headers[this.#deadline.name];
    return typeof text === 'string' && MS.test(text) ? Number(text) : undefined;
  }

  /** Headers for an upstream that has `leftMs` to answer; undefined where it is told nothing. */
  headersFor(leftMs: number): Readonly<Record<string, string>> | undefined {
    const { name, trust, send = trust } = this.#deadline;
    if (!send || leftMs === Number.POSITIVE_INFINITY) return undefined;
    return { [name]: String(Math.max(1, Math.ceil(leftMs))) };
  }
}
