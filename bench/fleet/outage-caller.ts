// One process that makes HTTP calls through a healed undici dispatcher, at a steady rate, and times each.
import { setTimeout as wait } from 'node:timers/promises';
import { createHealing } from '@healix/core';
import { healingDispatcher } from '@healix/undici';
import { Agent, request } from 'undici';
import { obey } from '../../test/stalls/programs/commands.ts';
import type { Called, OutageOptions } from './outages.ts';

const { redis, url, perSecond } = JSON.parse(process.argv[2] as string) as OutageOptions;
const runtime = createHealing({ redis, service: 'outages' });
const dispatcher = healingDispatcher(new Agent({ connections: 20 }));

async function call(called: Called): Promise<void> {
  const began = performance.now();
  try {
    const { statusCode, body } = await request(url, { dispatcher });
    await body.dump();
    if (statusCode !== 200) called.failed++;
  } catch {
    called.failed++;
  }
  called.took.push(performance.now() - began);
}

obey({
  call: async ({ ms }: { ms: number }) => {
    const called: Called = { took: [], failed: 0 };
    const calls: Promise<void>[] = [];
    const began = performance.now();
    while (performance.now() - began < ms) {
      const due = ((performance.now() - began) * perSecond) / 1_000;
      while (calls.length < due) calls.push(call(called));
      await wait(1);
    }
    await Promise.all(calls);
    return called;
  },
  store: () => runtime.status().fleet?.store.state,
});
