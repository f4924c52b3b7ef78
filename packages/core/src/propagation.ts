import type { IncomingHttpHeaders } from 'node:http';
import { isPriority, type Priority } from './config/schema.ts';
import { ConfigError } from './errors.ts';

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

type Headers = Readonly<Record<string, string>>;

/**
 * How the time that a call has left travels from service to service: as milliseconds that remain, since the clocks of
 * two hosts agree on nothing else (gRPC's `grpc-timeout` does the same). Beside it travels
 * how much the call matters, so that whoever has to refuse some of them refuses the same ones (Zhou et al., "Overload
 * Control for Scaling WeChat Microservices", 2018).
 */
export class Propagation {
  readonly #deadline: HeaderSettings;
  readonly #priority: HeaderSettings;

  /** @throws ConfigError where both have one name */
  constructor(deadline: HeaderSettings, priority: HeaderSettings) {
    this.#deadline = { ...deadline, name: deadline.name.toLowerCase() };
    this.#priority = { ...priority, name: priority.name.toLowerCase() };
    if (this.#deadline.name === this.#priority.name) {
      throw new ConfigError('priorityHeader.name', priority.name, 'another than that of deadlineHeader');
    }
  }

  /** Ms that a request's caller gives it; undefined where it says nothing, or nonsense, or is not believed. */
  leftMsOf(headers: IncomingHttpHeaders): number | undefined {
    if (!this.#deadline.trust) return undefined;
    const text = headers[this.#deadline.name];
    return typeof text === 'string' && MS.test(text) ? Number(text) : undefined;
  }

  /** How much a request's caller says that it matters; undefined as above. */
  priorityOf(headers: IncomingHttpHeaders): Priority | undefined {
    if (!this.#priority.trust) return undefined;
    const text = headers[this.#priority.name];
    return isPriority(text) ? text : undefined;
  }

  /**
   * Headers for an upstream that has `leftMs` to answer; undefined where it is told nothing.
   *
   * @param priority how much the call matters, where that was said
   */
  headersFor(leftMs: number, priority: Priority | undefined): Headers | undefined {
    let headers: Record<string, string> | undefined;
    if (leftMs !== Number.POSITIVE_INFINITY && isSent(this.#deadline)) {
      headers = { [this.#deadline.name]: String(Math.max(1, Math.round(leftMs))) };
    }
    if (priority !== undefined && isSent(this.#priority)) {
      headers = { ...headers, [this.#priority.name]: priority };
    }
    return headers;
  }
}

function isSent({ trust, send = trust }: HeaderSettings): boolean {
  return send;
}
