type Headers = Record<string, string | string[] | undefined>;

/** Bytes of a body that are read only to keep its connection; a longer one costs the connection. */
export const LONGEST_DISCARDED = 64 * 1_024;
/** How long after its headers a body is waited for to that end. */
export const DRAIN_MS = 100;

/** A failed attempt's answer, kept until it is certain that a better one may come. */
export class HeldAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly statusText: string | undefined;
  readonly drainsUntil: number;
  readonly chunks: Buffer[] = [];
  #size = 0;
  /** Undefined while the body is not over. */
  trailers: Headers | undefined = undefined;
  error: Error | undefined = undefined;

  constructor(status: number, headers: Headers, statusText: string | undefined, now: number) {
    this.status = status;
    this.headers = headers;
    this.statusText = statusText;
    this.drainsUntil = now + DRAIN_MS;
  }

  /** Nothing more of it comes. */
  get over(): boolean {
    return this.trailers !== undefined || this.error !== undefined;
  }

  /** Whether its end may still come soon. */
  drains(now: number): boolean {
    return !this.over && !this.#tooLong && now < this.drainsUntil;
  }

  /** False where no more of the body should come. */
  add(chunk: Buffer): boolean {
    this.chunks.push(chunk);
    this.#size += chunk.length;
    return !this.#tooLong;
  }

  end(trailers: Headers | undefined): void {
    this.trailers = trailers ?? {};
  }

  fail(error: Error): void {
    this.error = error;
  }

  get #tooLong(): boolean {
    return this.#size > LONGEST_DISCARDED;
  }
}
