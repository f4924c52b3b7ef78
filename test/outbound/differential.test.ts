import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '@healix/core/testing';
import { describe, expect, it } from 'vitest';
import { type Ask, asker } from './clients.ts';
import { MAJORS, useLab } from './lab.ts';

const REQUESTS = 300;
const AT_ONCE = 12;
/** An answer that takes longer will not come: that, too, is the same on both sides. */
const HANG_MS = 5_000;

/** What answers the same however often it is asked. */
const STEPS = [
  ...[
    'ok',
    'ok',
    'ok',
    'big',
    'big',
    'empty',
    '404',
    '500',
    '503',
    '503-close',
    '503-trailers',
    '503-after',
    '429',
  ],
  ...[
    'reset',
    'close',
    'reset-body',
    'truncated',
    'malformed',
    'slow-headers',
    'slow-body',
    'hints',
    'trailers',
  ],
  ...['hints-503', 'redirect', 'chunks', 'odd-headers'],
] as const;
const METHODS = ['GET', 'GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'] as const;

type Pick = <T>(from: readonly T[]) => T;

function picker(seed: number): Pick {
  const random = seededRandom(seed);
  return (from) => from[Math.floor(random.next() * from.length)] as never;
}

/** A request at random; the body is made anew for each of the two sides. */
function request(pick: Pick, way: string): { path: string; ask: () => Ask } {
  const method = pick(METHODS);
  const size = pick([0, 1, 1_000, 70_000, 300_000]);
  const path = `/${pick(STEPS)}?size=${size}&ms=${pick([1, 5, 30])}&seed=${pick([1, 2, 3])}&`;
  const kind = method === 'GET' || method === 'HEAD' ? 'none' : pick(['none', 'text', 'bytes', 'stream']);
  const headers = pick([undefined, { 'x-a': '1' }, { 'Idempotency-Key': 'k', accept: '*/*' }]);
  const text = 'body'.repeat(pick([1, 100, 20_000]));
  return {
    path: way === 'pipeline' ? path.replace('truncated', 'ok') : path,
    ask: () => ({
      method,
      ...(headers && { headers }),
      ...(kind === 'text' && { body: text }),
      ...(kind === 'bytes' && { body: Buffer.from(text) }),
      ...(kind === 'stream' && { body: Readable.from([Buffer.from(text), Buffer.from('end')]) }),
    }),
  };
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

describe.each(MAJORS)('undici $major, $through', ({ undici, through }) => {
  const lab = useLab(through);

  it.each(['request', 'stream', 'pipeline', 'fetch'] as const)(
    '%s: the same with healing as without',
    async (way) => {
      const pick = picker(way.length);
      const bare = asker(undici, way, lab.keep(new undici.Agent()));
      const settings = { policy: { neverOpen: true }, retry: { baseDelayMs: 1 } };
      const healed = asker(undici, way, lab.healed(lab.keep(new undici.Agent()), settings));
      const one = async (i: number) => {
        const { path, ask } = request(pick, way);
        const url = `${lab.server.origin}${path}`;
        const [without, within] = await Promise.all([told(bare(url, ask())), told(healed(url, ask()))]);
        expect({ i, path, ...(within as object) }).toEqual({ i, path, ...(without as object) });
      };
      for (let i = 0; i < REQUESTS; i += AT_ONCE) {
        await Promise.all(Array.from({ length: AT_ONCE }, (_, k) => one(i + k)));
      }
      expect(lab.inFlight()).toBe(0);
    },
    60_000,
  );
});
