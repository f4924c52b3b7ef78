import { relative } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dice } from '../conformance/harness/dice.ts';
import { type Ask, asker } from './clients.ts';
import { FaultyServer } from './faulty-server.ts';
import { MAJORS, until, useLab } from './lab.ts';

/** One seed instead of all: the message of a failure says which. */
const ONE_SEED = Number(process.env.DIFFERENTIAL_SEED ?? 0);
/** In each of four ways to ask, of each major and door. */
const REQUESTS = 300;
const AT_ONCE = 12;
/** An answer that takes longer will not come: that, too, is the same on both sides. */
const HANG_MS = 5_000;
/** When a caller gives up on what never comes. */
const ABORT_MS = 30;

/** What answers the same however often it is asked. */
const STEPS = [
  ...['ok', 'ok', 'ok', 'big', 'big', 'chunks', 'gzip', 'empty', 'not-modified', 'redirect', '404', '429'],
  ...['500', '503', '503-close', '503-trailers', '503-after', 'hints-503', 'hints', 'trailers'],
  ...['reset', 'close', 'reset-body', 'truncated', 'malformed', 'slow-headers', 'slow-body', 'odd-headers'],
  ...['hang', 'hang-body'],
];
const METHODS = ['GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND'];
const HEADERS: readonly Ask['headers'][] = [
  undefined,
  { 'x-a': '1' },
  { 'Idempotency-Key': 'k', accept: '*/*' },
  { 'X-Empty': '', 'x-latin': 'caf\xe9', 'Accept-Encoding': 'gzip' },
  { connection: 'close' },
  { expect: '100-continue' },
  // It is false: undici refuses it, and its fetch then waits for ever.
  { 'content-length': '7' },
];
const WAYS = ['request', 'stream', 'pipeline', 'fetch'] as const;
type Way = (typeof WAYS)[number];

interface Request {
  readonly path: string;
  readonly hangs: boolean;
  /** Made anew for each of the two sides. */
  ask(): Ask;
}

/** The request that a seed makes. */
function requestOf(seed: number, way: Way): Request {
  const dice = new Dice(seed * WAYS.length + WAYS.indexOf(way));
  const method = dice.oneOf(METHODS);
  const size = dice.oneOf([0, 1, 1_000, 70_000, 300_000]);
  const drawn = dice.oneOf(STEPS);
  const step = way === 'pipeline' && drawn === 'truncated' ? 'ok' : drawn;
  const path = `/${step}?size=${size}&ms=${dice.oneOf([1, 5, 30])}&seed=${dice.oneOf([1, 2, 3])}&n=${seed}&`;
  const bodies = way === 'pipeline' ? ['none', 'text', 'bytes', 'stream'] : BODIES;
  const kind = method === 'GET' || method === 'HEAD' ? 'none' : dice.oneOf(bodies);
  const form = dice.oneIn(3) ? dice.oneOf(['list', 'map']) : 'object';
  const headers = headersIn(form, dice.oneOf(way === 'fetch' ? HEADERS.slice(0, -1) : HEADERS), way);
  const text = 'body'.repeat(dice.oneOf([1, 100, 20_000]));
  const reset = dice.oneIn(10);
  const highWaterMark = dice.oneIn(5) ? 1_024 : undefined;
  const hangs = step.startsWith('hang');
  return {
    path,
    hangs,
    ask: () => ({
      method,
      // A request that fails at once, and one that is given up: which comes first is a matter of timing.
      ...(headers && !hangs && { headers }),
      ...(kind !== 'none' && { body: bodyOf(kind, text) }),
      ...(way !== 'fetch' && { reset, highWaterMark }),
      ...(hangs && { signal: AbortSignal.timeout(ABORT_MS) }),
    }),
  } as Request;
}

const BODIES = ['none', 'text', 'bytes', 'stream', 'iterable'];

function bodyOf(kind: string, text: string): NonNullable<Ask['body']> {
  const parts = [Buffer.from(text), Buffer.from('end')];
  if (kind === 'text') return text;
  if (kind === 'bytes') return Buffer.from(text);
  if (kind === 'stream') return Readable.from(parts);
  return (async function* () {
    yield* parts;
  })();
}

/** undici takes headers in several forms; fetch wants pairs. */
function headersIn(form: string, headers: Ask['headers'], way: Way): Ask['headers'] {
  if (headers === undefined || form === 'object' || way === 'fetch') return headers;
  const pairs = Object.entries(headers as Record<string, string>);
  return form === 'map' ? new Map(pairs) : pairs.flat();
}

async function told(asked: Promise<unknown>): Promise<unknown> {
  const late = sleep(HANG_MS, new Error('it hangs'), { ref: false });
  try {
    const answer = (await Promise.race([asked, late.then((error) => Promise.reject(error))])) as {
      headers: Record<string, unknown>;
    };
    return { ...answer, headers: { ...answer.headers, date: undefined } };
  } catch (thrown) {
    return describeError(thrown as Error);
  }
}

function describeError(error: Error & { code?: unknown }): object {
  const { name, message, code, cause } = error;
  // On a busy machine undici tells one and the same reset in either of two ways, without healing too.
  if (message === 'read ECONNRESET' || message === 'other side closed') return { reset: true };
  return { name, message, code, ...(cause instanceof Error && { cause: describeError(cause) }) };
}

/** What a server saw of one request, repeats left out. */
function seenOf({ seen, origin }: FaultyServer, seed: number, way: Way): string[] {
  const mine = seen.filter(({ url }) => url.includes(`&n=${seed}&`));
  const texts = mine.map((one) => JSON.stringify(one).replaceAll(new URL(origin).host, 'host'));
  return [...new Set(way === 'pipeline' ? texts.map(unframed) : texts)];
}

/** A pipeline's body is framed by what of it is there when its turn comes. */
function unframed(seen: string): string {
  return seen.replace(/"content-length","\d+"|"transfer-encoding","chunked"/, '');
}

describe.each(MAJORS)('undici $major, $through', ({ major, undici, through }) => {
  const lab = useLab(through);
  /** What is asked without healing has a server of its own. */
  const other = new FaultyServer();
  beforeAll(() => other.listen());
  afterAll(() => other.close());

  it.each(WAYS)(
    '%s: the same with healing as without',
    async (way) => {
      const bare = asker(undici, way, lab.keep(new undici.Agent()));
      const settings = { policy: { neverOpen: true }, retry: { baseDelayMs: 1 } };
      const healed = asker(undici, way, lab.healed(lab.keep(new undici.Agent()), settings));
      const one = async (seed: number) => {
        const { path, hangs, ask } = requestOf(seed, way);
        const [without, within] = await Promise.all([
          told(bare(other.origin + path, ask())),
          told(healed(lab.server.origin + path, ask())),
        ]);
        const file = relative(process.cwd(), expect.getState().testPath ?? '');
        const again = `DIFFERENTIAL_SEED=${seed} npx vitest run ${file} -t 'undici ${major}, ${through}.*${way}'`;
        expect(within, `${again}\n${ask().method} ${path}`).toEqual(without);
        // Who gives up may do so before the server has seen anything.
        if (hangs) return;
        expect(seenOf(lab.server, seed, way), again).toEqual(seenOf(other, seed, way));
      };
      const seeds = ONE_SEED > 0 ? [ONE_SEED] : Array.from({ length: REQUESTS }, (_, i) => i + 1);
      for (let i = 0; i < seeds.length; i += AT_ONCE) {
        for (const server of [lab.server, other]) server.seen.length = 0;
        await Promise.all(seeds.slice(i, i + AT_ONCE).map(one));
      }
      await until(() => lab.inFlight() === 0);
    },
    60_000,
  );
});
