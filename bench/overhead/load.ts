import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { awake } from './awake.ts';

const HEAD_END = '\r\n\r\n';

/**
 * Connections to one server that send GETs for its paths in turn, each its next one when it has been
 * answered. It does as little as it can, since it shares the machine with the server that is measured.
 */
export class Load {
  readonly #sockets: readonly Socket[];
  readonly #requests: readonly string[];
  #next = 0;
  /** Bytes of an answer. All are alike: anything else ends the batch with an error. */
  readonly #answerBytes: number;

  private constructor(sockets: readonly Socket[], requests: readonly string[], answerBytes: number) {
    this.#sockets = sockets;
    this.#requests = requests;
    this.#answerBytes = answerBytes;
  }

  static async open(port: number, paths: readonly string[], connections: number): Promise<Load> {
    const sockets = Array.from({ length: connections }, () =>
      connect({ port, host: '127.0.0.1', noDelay: true }),
    );
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const head = ` HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: application/json${HEAD_END}`;
    const requests = paths.map((path) => `GET ${path}${head}`);
    const [first] = sockets as [Socket];
    first.write(requests[0] as string);
    const [answer] = await once(first, 'data');
    return new Load(sockets, requests, bytesOf(answer.toString('latin1')));
  }

  /** Sends so many requests in all, and waits for the last answer. */
  async send(requests: number): Promise<void> {
    let unsent = requests;
    await awake(Promise.all(this.#sockets.map((socket) => this.#converse(socket, () => unsent-- > 0))));
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #converse(socket: Socket, another: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      let missing = 0;
      const next = () => {
        missing = this.#answerBytes;
        if (another()) socket.write(this.#requests[this.#next++ % this.#requests.length] as string);
        else finish(resolve);
      };
      const onData = (chunk: Buffer) => {
        if (missing === this.#answerBytes && !isAnswer(chunk)) return fail(new Error(chunk.toString()));
        missing -= chunk.length;
        if (missing < 0) fail(new Error('an answer is longer than the others'));
        else if (missing === 0) next();
      };
      const fail = (error: Error) => finish(() => reject(error));
      const onClose = () => fail(new Error('the server closed a connection'));
      const finish = (settle: () => void) => {
        socket.off('data', onData).off('error', fail).off('close', onClose);
        settle();
      };
      socket.on('data', onData).on('error', fail).on('close', onClose);
      next();
    });
  }
}

function isAnswer(chunk: Buffer): boolean {
  return chunk.toString('latin1', 0, 12) === 'HTTP/1.1 200';
}

/** The length of the first answer, which must have come whole. */
function bytesOf(answer: string): number {
  const headBytes = answer.indexOf(HEAD_END) + HEAD_END.length;
  const length = headBytes + Number(/^content-length: (\d+)/im.exec(answer)?.[1]);
  if (length !== answer.length) throw new Error(`not one whole answer with its Content-Length:\n${answer}`);
  return length;
}
