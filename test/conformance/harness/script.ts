import { Dice } from './dice.ts';
import { head, type Question, question } from './question.ts';

/**
 * How a connection ends: `asked`, the last request asked for it; `broken`, the server breaks off, or an answer
 * never ends; `left`, the client goes once `marker` has come.
 */
type Ending = { readonly how: 'asked' | 'broken' } | { readonly how: 'left'; readonly marker?: string };

/** What one client says on one connection. */
export interface Script {
  readonly seed: number;
  /** All at once, instead of each request after the answer to the one before. */
  readonly pipelined: boolean;
  /** Where what is sent is cut into pieces, as shares of its length. */
  readonly cuts: readonly number[];
  readonly questions: readonly Question[];
  readonly ending: Ending;
}

const HOST = [['Host', 'conformance']] as const;
const UPGRADE = [...HOST, ['Connection', 'Upgrade, close'], ['Upgrade', 'h2c']] as const;
const GONE: readonly (readonly [Ending, Question])[] = [
  ...['/breaks/0', '/breaks/1', '/breaks/4', '/throws/head', '/hand/destroyed', '/hand/cut'].map((path) =>
    last('broken', 'GET', `GET ${path} HTTP/1.1`),
  ),
  last('broken', 'CONNECT', 'CONNECT conformance:80 HTTP/1.1'),
  [{ how: 'broken' }, asIs('GET', head('GET /users/1 HTTP/1.1', UPGRADE))],
  [{ how: 'broken' }, asIs('POST', head('POST /sink HTTP/1.1', [...UPGRADE, ['Content-Length', '0']]))],
  [{ how: 'left', marker: 'part 1' }, asIs('GET', head('GET /begun HTTP/1.1', HOST))],
  [{ how: 'left' }, asIs('GET', head('GET /hangs HTTP/1.1', HOST))],
  [{ how: 'left' }, asIs('POST', head('POST /hangs HTTP/1.1', [...HOST, ['Content-Length', '5']]))],
  [
    { how: 'left' },
    asIs('PUT', `${head('PUT /sink HTTP/1.1', [...HOST, ['Content-Length', '1000']])}half of it`),
  ],
  [
    { how: 'left' },
    asIs(
      'POST',
      `${head('POST /users/1 HTTP/1.1', [
        ...HOST,
        ['Transfer-Encoding', 'chunked'],
        ['Content-Type', 'application/json'],
      ])}5\r\n{"ha`,
    ),
  ],
];
/** What HTTP/1.1 does not allow, or what ends a connection by itself. */
const ODD: readonly Question[] = [
  asIs('GET', 'GET /users/1 HTTP/1.0\r\n\r\n'),
  asIs('GET', 'GET /stream/3 HTTP/1.0\r\nHost: conformance\r\n\r\n'),
  asIs('HEAD', 'HEAD /text/200 HTTP/1.0\r\n\r\n'),
  asIs('GET', 'GET /users/1 HTTP/1.1\r\nConnection: close\r\n\r\n'),
  asIs('GET', head('GET /users/1 HTTP/1.1', [...HOST, ...HOST, ['Connection', 'close']])),
  asIs('GET', head('GET /users/1 HTTP/3.1', HOST)),
  asIs('GET', head('GET /us\x01ers HTTP/1.1', HOST)),
  asIs('GET', 'GET /users/1 HTTP/1.1\r\nHost: conformance\r\nno colon\r\n\r\n'),
  asIs('GET', head('GET /users/1 HTTP/1.1', [...HOST, ['X-Endless', 'l'.repeat(20_000)]])),
  asIs('GET', head('GET /users/1 HTTP/1.1', [...HOST, ['Expect', 'nonsense'], ['Connection', 'close']])),
  asIs('NONE', head('NONE /users/1 HTTP/1.1', HOST)),
  asIs(
    'POST',
    head('POST /sink HTTP/1.1', [...HOST, ['Content-Length', '5'], ['Transfer-Encoding', 'chunked']]),
  ),
  asIs('POST', head('POST /sink HTTP/1.1', [...HOST, ['Content-Length', '-1']])),
  asIs('POST', `${head('POST /sink HTTP/1.1', [...HOST, ['Transfer-Encoding', 'chunked']])}size?\r\n`),
];

/** The script that a seed makes: up to six requests on one connection. */
export function scriptOf(seed: number): Script {
  const dice = new Dice(seed);
  const pipelined = dice.oneIn(2);
  const cuts = dice.oneIn(4) ? [dice.below(100) / 100, dice.below(100) / 100].sort() : [];
  const before = Array.from({ length: dice.below(6) }, () => question(dice, false));
  // Where the end is a matter of timing, answers that are still due would be too.
  if (pipelined || !dice.oneIn(3)) {
    const questions = [...before, question(dice, true)].map((one) => (pipelined ? impatient(one) : one));
    return { seed, pipelined, cuts, questions, ending: { how: 'asked' } };
  }
  if (dice.oneIn(2)) {
    return { seed, pipelined, cuts: [], questions: [...before, dice.oneOf(ODD)], ending: { how: 'asked' } };
  }
  const [ending, end] = dice.oneOf(GONE);
  return { seed, pipelined, cuts: [], questions: [...before, end], ending };
}

function asIs(method: string, bytes: string): Question {
  return { method, bytes };
}

function last(how: 'broken', method: string, line: string): [Ending, Question] {
  return [{ how }, asIs(method, head(line, HOST))];
}

function impatient({ method, bytes, afterContinue = '' }: Question): Question {
  return { method, bytes: bytes + afterContinue };
}
