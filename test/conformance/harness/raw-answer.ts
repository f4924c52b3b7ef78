/** An HTTP/1.1 answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  readonly trailers: string;
  /** Status codes of answers before this one: 100, 103. */
  readonly interim: readonly number[];
  /** The first header of that name, in lower case. */
  header(name: string): string | undefined;
  json(): Record<string, unknown>;
}

interface Found {
  readonly answer: RawAnswer;
  readonly rest: Buffer<ArrayBuffer>;
}

interface Head {
  status: number;
  reason: string;
  headers: (readonly [string, string])[];
}

interface Body {
  body: Buffer;
  trailers: string;
  end: number;
}

const BLANK_LINE = '\r\n\r\n';

/** The first answer in `bytes`, or undefined while it is not all there. */
export function readAnswer(bytes: Buffer<ArrayBuffer>, method: string, ended: boolean): Found | undefined {
  const interim: number[] = [];
  for (let from = 0; ; ) {
    const headEnd = bytes.indexOf(BLANK_LINE, from);
    if (headEnd < 0) return undefined;
    const head = readHead(bytes.toString('latin1', from, headEnd));
    from = headEnd + BLANK_LINE.length;
    if (head.status < 200 && head.status !== 101) {
      interim.push(head.status);
      continue;
    }
    const read = readBody(bytes, from, head, method, ended);
    if (read === undefined) return undefined;
    return { answer: answerOf(head, read, interim), rest: bytes.subarray(read.end) };
  }
}

function readHead(text: string): Head {
  const [first = '', ...lines] = text.split('\r\n');
  const { status, reason = '' } = /^HTTP\/1\.[01] (?<status>\d{3}) ?(?<reason>.*)$/.exec(first)?.groups ?? {};
  if (status === undefined) throw new Error(`no status line: ${JSON.stringify(first)}`);
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return { status: Number(status), reason, headers };
}

function readBody(
  bytes: Buffer,
  from: number,
  { status, headers }: Head,
  method: string,
  ended: boolean,
): Body | undefined {
  const none = { body: Buffer.alloc(0), trailers: '', end: from };
  if (method === 'HEAD' || status === 101 || status === 204 || status === 304) return none;
  if (headerOf(headers, 'transfer-encoding') === 'chunked') return readChunks(bytes, from);
  const length = headerOf(headers, 'content-length');
  if (length === undefined) {
    return ended ? { body: bytes.subarray(from), trailers: '', end: bytes.length } : undefined;
  }
  const end = from + Number(length);
  return bytes.length < end ? undefined : { body: bytes.subarray(from, end), trailers: '', end };
}

function readChunks(bytes: Buffer, from: number): Body | undefined {
  const chunks: Buffer[] = [];
  for (let at = from; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const start = lineEnd + 2;
    if (size === 0) {
      const end = bytes.indexOf(BLANK_LINE, lineEnd);
      if (end < 0) return undefined;
      const trailers = bytes.toString('latin1', start, Math.max(start, end));
      return { body: Buffer.concat(chunks), trailers, end: end + BLANK_LINE.length };
    }
    if (bytes.length < start + size + 2) return undefined;
    chunks.push(bytes.subarray(start, start + size));
    at = start + size + 2;
  }
}

function answerOf({ status, reason, headers }: Head, { body, trailers }: Body, interim: number[]): RawAnswer {
  return {
    status,
    reason,
    headers,
    body,
    trailers,
    interim,
    header: (name) => headerOf(headers, name),
    json: () => JSON.parse(body.toString()),
  };
}

function headerOf(headers: RawAnswer['headers'], name: string): string | undefined {
  return headers.find(([known]) => known === name)?.[1];
}
