import type { CallRequest } from './call-request.ts';
import type { Work } from './host.ts';

/** An answer of the upstream. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The work that it came of. */
  readonly attempt: Attempt;
}

/** There was no answer: the connection was refused, or reset. */
export class NetworkError extends Error {
  readonly code: 'ECONNREFUSED' | 'ECONNRESET';

  constructor(code: NetworkError['code']) {
    super(code);
    this.name = 'NetworkError';
    this.code = code;
  }
}

/** What an attempt needs of its upstream. */
export interface AttemptHost {
  /** What work that begins now takes, in ms. */
  workMs(attempt: Attempt, now: number): number;
  began(attempt: Attempt): void;
  /** The server has done its part; true if it stays taken until `release`. */
  ended(attempt: Attempt, release: () => void): boolean;
  /** Has `callback` called when the network has carried the answer. */
  carry(callback: () => void): void;
}

/** One attempt of a request: what the sender was promised, and what a host works on. */
export class Attempt implements Work {
  readonly request: CallRequest;
  /** 0 for the first. */
  readonly number: number;
  readonly host: number;
  /** When a server began with it, and what that takes in ms. */
  beganAt = Number.NaN;
  workMs = 0;
  fails = false;

  readonly #upstream: AttemptHost;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: unknown) => void;
  readonly #signal: AbortSignal | undefined;
  #settled = false;

  constructor(
    upstream: AttemptHost,
    request: CallRequest,
    host: number,
    resolve: (answer: Answer) => void,
    reject: (error: unknown) => void,
    signal: AbortSignal | undefined,
  ) {
    this.request = request;
    this.number = request.attempts++;
    this.host = host;
    this.#upstream = upstream;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#signal = signal;
    signal?.addEventListener('abort', this);
  }

  begin(now: number): number {
    this.beganAt = now;
    this.workMs = this.#upstream.workMs(this, now);
    this.#upstream.began(this);
    return this.workMs;
  }

  done(release: () => void): boolean {
    return this.#upstream.ended(this, release);
  }

  lost(): void {
    this.fail('ECONNRESET');
  }

  /** Nobody waits any longer; the work goes on. */
  handleEvent(): void {
    if (this.#settle()) this.#reject(this.#signal?.reason);
  }

  answer(status: number, headers: Answer['headers'] = {}): void {
    if (this.#settled) return;
    this.#upstream.carry(() => {
      if (this.#settle()) this.#resolve({ status, headers, attempt: this });
    });
  }

  fail(code: NetworkError['code']): void {
    if (this.#settled) return;
    this.#upstream.carry(() => {
      if (this.#settle()) this.#reject(new NetworkError(code));
    });
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#signal?.removeEventListener('abort', this);
    return true;
  }
}
