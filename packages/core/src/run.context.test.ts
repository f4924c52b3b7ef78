import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import type { Target } from './target.ts';
import { createTestHealing } from './testing.ts';

const user = new AsyncLocalStorage<string>();
const never = () => new Promise<never>(() => {});

function setup() {
  const { runtime, clock } = createTestHealing({ defaults: { timeoutMs: 100, retry: { baseDelayMs: 30 } } });
  return { runtime, clock, target: runtime.target('upstream:a') };
}

/** Runs one call for each user, all at the same time. */
function forEach(call: (name: string) => Promise<unknown>): Promise<unknown[]> {
  return Promise.all(['ann', 'bob', 'cid'].map((name) => user.run(name, () => call(name))));
}

describe('what runs later runs for the user whose call it is', () => {
  async function seenBy(make: (target: Target, seen: string[]) => (name: string) => Promise<unknown>) {
    const { target, clock } = setup();
    const seen: string[] = [];
    const calls = forEach(make(target, seen));
    await clock.advance(1_000);
    await calls;
    return seen.sort();
  }
  const told = (name: string) => `${name} as ${user.getStore()}`;
  const right = ['ann as ann', 'bob as bob', 'cid as cid'];

  test('a repeat', async () => {
    const seen = await seenBy((target, list) => (name) => {
      const fn = async ({ attempt }: { attempt: number }) => {
        if (attempt === 1) throw new Error('once');
        list.push(told(name));
      };
      return target.run(fn, { idempotent: true });
    });
    expect(seen).toEqual(right);
  });

  test('a repeat and a fallback after a timeout', async () => {
    const seen = await seenBy((target, list) => (name) => {
      const fn = ({ attempt }: { attempt: number }) => {
        if (attempt === 2) list.push(told(name));
        return never();
      };
      return target.run<unknown>(fn, { idempotent: true, fallback: () => list.push(told(name)) });
    });
    expect(seen).toEqual(right.flatMap((line) => [line, line]));
  });

  test('an abort that a timeout brings', async () => {
    const seen = await seenBy((target, list) => (name) => {
      const fn = ({ signal }: { signal: AbortSignal }) => {
        signal.addEventListener('abort', () => list.push(told(name)));
        return never();
      };
      return target.run(fn).catch(() => {});
    });
    expect(seen).toEqual(right);
  });
});

test('options of with() stay with the call that they were given for, over its repeats', async () => {
  const { runtime, target, clock } = setup();
  const inner = runtime.target('upstream:inner');
  const call = (name: string) =>
    runtime.with({ idempotent: true, stale: { key: name, maxAgeMs: 60_000 } }, () =>
      target.run(async ({ attempt }) => {
        if (attempt === 1) throw new Error('once');
        return inner.run(async () => `secret of ${name}`);
      }),
    );
  const calls = Promise.all([call('ann'), call('bob')]);
  await clock.advance(1_000);
  await calls;
  await inner.force('open');
  for (const key of ['ann', 'bob']) {
    expect(await inner.run(() => 'new', { stale: { key, maxAgeMs: 60_000 } })).toBe(`secret of ${key}`);
  }
});
