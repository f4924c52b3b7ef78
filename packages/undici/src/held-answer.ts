type Headers = Record<string, string | string[] | undefined>;

/** Bytes of a body that are read only to keep its connection; a longer one costs the connection. */
export const LONGEST_DISCARDED = 64 * 1_024;

/** A failed attempt's answer, kept until it is certain that a better one may come. */
export class HeldAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly statusText: string | undefined;
  readonly chunks: Buffer[] = [];
  size = 0;
  /** Undefined while the body is not over. */
  trailers: Headers | undefined = undefined;
  error: Error | undefined = undefined;

  constructor(status: number, headers: Headers, statusText: string | undefined) {
    this.status = status;
    this.headers = headers;
    this.statusText = statusText;
  }

  /** Nothing more of it comes. */
  get over(): boolean {
    return this.trailers !== undefined || this.error !== undefined;
  }

  /** False where no more of the body should come. */
  add(chunk: Buffer): boolean {
    this.chunks.push(chunk);
    this.size += chunk.length;
    return this.size <= LONGEST_DISCARDED;
  }

  end(trailers: Headers | undefined): void {
    this.trailers = trailers ?? {};
  }

  fail(error: Error): void {
    this.error = error;
  }
}
