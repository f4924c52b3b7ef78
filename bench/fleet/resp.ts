import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A reply of Redis (RESP 2); an error is thrown. */
export type Reply = string | number | null | Reply[];

interface Parsed {
  readonly reply: Reply;
  /** Where the next reply begins. */
  readonly end: number;
}

/** The reply that begins at `at`; undefined while it is not whole. */
function parseReply(bytes: Buffer, at = 0): Parsed | undefined {
  const lineEnd = bytes.indexOf('\r\n', at);
  if (lineEnd < 0) return undefined;
  const line = bytes.toString('latin1', at + 1, lineEnd);
  const next = lineEnd + 2;
  switch (bytes[at]) {
    case 0x2b: // +
      return { reply: line, end: next };
    case 0x2d: // -
      throw new Error(line);
    case 0x3a: // :
      return { reply: Number(line), end: next };
    case 0x24: // $
      return parseText(bytes, next, Number(line));
    case 0x2a: // *
      return parseList(bytes, next, Number(line));
    default:
      throw new Error(`no reply of Redis: ${line}`);
  }
}

function parseText(bytes: Buffer, at: number, length: number): Parsed | undefined {
  if (length < 0) return { reply: null, end: at };
  const end = at + length;
  return bytes.length < end + 2 ? undefined : { reply: bytes.toString('latin1', at, end), end: end + 2 };
}

function parseList(bytes: Buffer, at: number, length: number): Parsed | undefined {
  if (length < 0) return { reply: null, end: at };
  const replies: Reply[] = [];
  let end = at;
  for (let i = 0; i < length; i++) {
    const parsed = parseReply(bytes, end);
    if (parsed === undefined) return undefined;
    replies.push(parsed.reply);
    end = parsed.end;
  }
  return { reply: replies, end };
}

/** The least that speaks to Redis: one command at a time, and every byte is known. */
export class RespSocket {
  readonly #socket: Socket;
  /** Bytes of the last command and of its reply. */
  sentBytes = 0;
  receivedBytes = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => undefined);
  }

  static async open(port: number): Promise<RespSocket> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new RespSocket(socket);
  }

  send(...command: string[]): Promise<Reply> {
    const parts = command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
    const request = Buffer.from(`*${command.length}\r\n${parts.join('')}`);
    this.sentBytes = request.length;
    const reply = this.#receive();
    this.#socket.write(request);
    return reply;
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(): Promise<Reply> {
    return new Promise((resolve, reject) => {
      let bytes: Buffer = Buffer.alloc(0);
      const onData = (chunk: Buffer) => {
        bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
        try {
          const parsed = parseReply(bytes);
          if (parsed === undefined) return;
          this.receivedBytes = parsed.end;
          finish(() => resolve(parsed.reply));
        } catch (error) {
          finish(() => reject(error));
        }
      };
      const onClose = () => finish(() => reject(new Error('Redis closed the connection')));
      const finish = (settle: () => void) => {
        this.#socket.off('data', onData).off('close', onClose);
        settle();
      };
      this.#socket.on('data', onData).on('close', onClose);
    });
  }
}
