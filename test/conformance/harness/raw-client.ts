import { connect, type Socket } from 'node:net';
import { type RawAnswer, readAnswer } from './raw-answer.ts';
import { soon } from './wait.ts';

export interface RawRequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A request as it goes over the wire. */
export function wire(method: string, path: string, { headers = {}, body }: RawRequestOptions = {}): string {
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: conformance'];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (body !== undefined) lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`;
}

/** A POST of JSON as it goes over the wire. */
export function wireJson(path: string, value: unknown, headers: Record<string, string> = {}): string {
  return wire('POST', path, {
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(value),
  });
}

/** An HTTP/1.1 client that hides nothing: what is sent and received are bytes. */
export class RawClient {
  readonly socket: Socket;
  /** No more bytes come: the server has ended the connection, or it broke. */
  ended = false;
  #chunks: Buffer[] = [];
  #unread = Buffer.alloc(0);
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk);
      this.#unread = Buffer.concat([this.#unread, chunk]);
      this.#wake?.();
    });
    const ended = () => {
      this.ended = true;
      this.#wake?.();
    };
    socket.on('end', ended).on('close', ended).on('error', ended);
  }

  static open(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new RawClient(socket)));
      socket.once('error', reject);
    });
  }

  /** All that has come so far. */
  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  send(data: string | Buffer): this {
    this.socket.write(data);
    return this;
  }

  /** The next answer; `method` is what it was asked by, since a HEAD's has no body. */
  async answer(method = 'GET'): Promise<RawAnswer> {
    for (;;) {
      const found = readAnswer(this.#unread, method, this.ended);
      if (found !== undefined) {
        this.#unread = found.rest;
        return found.answer;
      }
      if (this.ended) throw new Error(`the connection ended in the midst of an answer: ${this.#unread}`);
      await this.#more('an answer');
    }
  }

  /** Until `text` has come, anywhere. */
  async has(text: string): Promise<void> {
    while (!this.received.includes(text)) {
      if (this.ended) throw new Error(`the connection ended before ${JSON.stringify(text)}`);
      await this.#more(JSON.stringify(text));
    }
  }

  /** All bytes, once the server has ended the connection. */
  async whole(): Promise<Buffer> {
    while (!this.ended) await this.#more('the end of the connection');
    return this.received;
  }

  /** Goes away without a word. */
  leave(): void {
    this.socket.destroy();
  }

  #more(what: string): Promise<void> {
    const news = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    return soon(`${what}, after ${JSON.stringify(this.#unread.toString('latin1', 0, 200))}`, news);
  }
}
