import { seededRandom } from '@healix/core/testing';
import { describe, expect, test } from 'vitest';
import type { Contender } from '../contender.ts';
import { FIGURES } from '../figures.ts';
import { type Answer, type Attempt, NetworkError } from '../world/attempt.ts';
import { CallRequest } from '../world/call-request.ts';
import { Timeline } from '../world/timeline.ts';
import { clockOf } from '../world/timeline-clock.ts';
import { replaceGlobals } from '../world/virtual-globals.ts';
import { cockatielDocumented } from './cockatiel.ts';
import { healixBasic } from './healix-basic.ts';
import { naiveRetry } from './naive-retry.ts';
import { opossumDocumented, opossumTuned } from './opossum.ts';
import { undiciDocumented } from './undici.ts';

type Upstream = (attempt: number) => number | 'refuses' | 'hangs';

/** The attempts that a contender makes, by the time at which they were sent. */
async function attemptsOf(
  contender: Contender,
  upstream: Upstream,
  plan: { requests: number; everyMs: number; idempotent?: boolean },
): Promise<{ sentAt: number[]; ends: string[] }> {
  const timeline = new Timeline();
  const start = timeline.now;
  const sentAt: number[] = [];
  const ends: string[] = [];
  const restore = replaceGlobals(timeline, seededRandom(1));
  const call = contender.make({
    clock: clockOf(timeline),
    random: seededRandom(1),
    hosts: ['host-0'],
    truth: undefined,
    send: (_host, _request, signal) => {
      sentAt.push(timeline.now - start);
      return answer(timeline, upstream(sentAt.length), signal);
    },
  });
  for (let id = 0; id < plan.requests; id++) {
    timeline.at(start + id * plan.everyMs, () => {
      const { now } = timeline;
      const request = new CallRequest(
        {
          id,
          at: now,
          deadlineAt: now + FIGURES.deadlineMs,
          idempotent: plan.idempotent ?? true,
          priority: 'normal',
          route: 0,
        },
        timeline,
      );
      call(request).then(
        ({ status }) => ends.push(`${status} at ${timeline.now - start}`),
        (error) => ends.push(`${error.name} at ${timeline.now - start}`),
      );
    });
  }
  try {
    await timeline.run(start + plan.requests * plan.everyMs + 60_000);
  } finally {
    restore();
  }
  return { sentAt, ends };
}

function answer(
  timeline: Timeline,
  how: ReturnType<Upstream>,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason));
    if (how === 'hangs') return;
    timeline.at(timeline.now + 10, () => {
      if (how === 'refuses') reject(new NetworkError('ECONNREFUSED'));
      else
        resolve({ status: how, headers: how === 429 ? { 'retry-after': '1' } : {}, attempt: {} as Attempt });
    });
  });
}

describe('opossum', () => {
  test('opens at the first failure that is more than half of its calls, and tries again after its 30 s', async () => {
    const { sentAt } = await attemptsOf(opossumDocumented, () => 'refuses', { requests: 70, everyMs: 1_000 });
    expect(sentAt).toEqual([0, 31_000, 62_000]);
  });

  test('closes when the call that it lets through is good', async () => {
    const { sentAt } = await attemptsOf(opossumDocumented, (attempt) => (attempt === 1 ? 500 : 200), {
      requests: 40,
      everyMs: 1_000,
    });
    expect(sentAt).toEqual([0, ...Array.from({ length: 9 }, (_, index) => 31_000 + index * 1_000)]);
  });

  test('tuned, it needs 50 calls to open', async () => {
    const { sentAt } = await attemptsOf(opossumTuned, () => 500, { requests: 60, everyMs: 10 });
    expect(sentAt.length).toBeGreaterThanOrEqual(50);
    expect(sentAt.length).toBeLessThan(55);
  });
});

describe('cockatiel', () => {
  test('repeats three times, with growing waits, of its own random numbers', async () => {
    const plan = { requests: 1, everyMs: 1 };
    const { sentAt } = await attemptsOf(cockatielDocumented, () => 500, plan);
    expect(sentAt).toHaveLength(4);
    const waits = sentAt.slice(1).map((at, index) => at - (sentAt[index] as number) - 10);
    expect((waits[2] as number) > (waits[0] as number)).toBe(true);
    expect(await attemptsOf(cockatielDocumented, () => 500, plan)).toMatchObject({ sentAt });
  });

  test('opens after five failures in a row, for ten seconds', async () => {
    const { sentAt } = await attemptsOf(cockatielDocumented, () => 'refuses', {
      requests: 1_000,
      everyMs: 20,
    });
    const opened = sentAt.filter((at) => at < 9_000);
    expect(opened.length).toBeLessThan(10);
    expect(sentAt.find((at) => at > 9_000)).toBeGreaterThan(10_000);
  });

  test('ends with its caller', async () => {
    const { sentAt, ends } = await attemptsOf(cockatielDocumented, () => 'hangs', {
      requests: 1,
      everyMs: 1,
    });
    expect([sentAt, ends]).toEqual([[0], ['Error at 1000']]);
  });
});

describe('undici', () => {
  test('repeats after half a second, and ends with its caller', async () => {
    const { sentAt, ends } = await attemptsOf(undiciDocumented, () => 503, { requests: 1, everyMs: 1 });
    expect(sentAt).toEqual([0, 510]);
    expect(ends).toEqual(['AbortError at 1000']);
  });

  test('waits as long as Retry-After asks', async () => {
    const { sentAt } = await attemptsOf(undiciDocumented, () => 429, { requests: 1, everyMs: 1 });
    expect(sentAt).toEqual([0]);
  });

  test('hands on the answer of a later attempt', async () => {
    const upstream: Upstream = (attempt) => (attempt === 1 ? 'refuses' : 200);
    const { ends } = await attemptsOf(undiciDocumented, upstream, { requests: 1, everyMs: 1 });
    expect(ends).toEqual(['200 at 520']);
  });

  test('repeats no POST', async () => {
    const plan = { requests: 1, everyMs: 1, idempotent: false };
    expect((await attemptsOf(undiciDocumented, () => 503, plan)).sentAt).toEqual([0]);
  });
});

test('naive retry repeats at once, and whatever it is', async () => {
  const plan = { requests: 1, everyMs: 1, idempotent: false };
  expect((await attemptsOf(naiveRetry, () => 500, plan)).sentAt).toEqual([0, 10, 20]);
  expect((await attemptsOf(naiveRetry, () => 'hangs', plan)).sentAt).toEqual([0, 333, 666]);
});

describe('healix', () => {
  test('repeats what is idempotent, and nothing else', async () => {
    const upstream: Upstream = (attempt) => (attempt === 1 ? 500 : 200);
    const safe = await attemptsOf(healixBasic, upstream, { requests: 1, everyMs: 1 });
    expect(safe.sentAt).toHaveLength(2);
    const unsafe = await attemptsOf(healixBasic, upstream, { requests: 1, everyMs: 1, idempotent: false });
    expect(unsafe.sentAt).toHaveLength(1);
  });

  test('gives up at the deadline that it is told', async () => {
    const { ends } = await attemptsOf(healixBasic, () => 'hangs', { requests: 1, everyMs: 1 });
    expect(ends).toHaveLength(1);
    expect(ends[0]).toMatch(/^DeadlineError at 10[0-2]\d/);
  });
});
