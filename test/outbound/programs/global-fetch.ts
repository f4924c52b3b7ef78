// Heals the global dispatcher of the undici named in the first argument, and tells what the built-in fetch,
// and undici's own, make of a misbehaving server.
import { createHealing, defaultHealing, findHealixError } from '@healix/core';
import { SteadyClock } from '@healix/core/testing';
import { healingDispatcher } from '@healix/undici';
import { FaultyServer } from '../faulty-server.ts';

const undici = (await import(process.argv[2] as string)) as typeof import('undici');
undici.setGlobalDispatcher(healingDispatcher(undici.getGlobalDispatcher(), { timeoutMs: 1_000 }));
createHealing({
  clock: new SteadyClock(),
  defaults: { circuit: { consecutiveFailures: 100 }, retry: { budgetPerSecond: 100 } },
});

const server = await new FaultyServer().listen();
const told: Record<string, unknown> = {};
const ways = { builtIn: globalThis.fetch, own: undici.fetch as unknown as typeof fetch };

for (const [way, fetch] of Object.entries(ways)) {
  const get = async (steps: string, init?: RequestInit) => {
    const response = await fetch(`${server.origin}/${steps}?way=${way}`, init);
    return `${response.status} ${await response.text()}`;
  };
  const failure = async (asked: Promise<unknown>) => {
    const error = await asked.then(
      () => new Error('nothing was thrown'),
      (thrown) => thrown,
    );
    return `${error.name} ${findHealixError(error)?.code}`;
  };
  const target = defaultHealing().target(`upstream:${server.origin}`);
  const { retries } = target.status().counts;
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 100);
  const form = new (fetch === globalThis.fetch ? FormData : undici.FormData)();
  form.append('a', 'b');
  const posted = await get('ok', { method: 'POST', body: form as never });
  const cookies = await fetch(`${server.origin}/ok`);
  told[way] = {
    good: await get('ok'),
    repeated: await get('503,reset,ok'),
    redirected: await get('redirect'),
    hinted: await get('hints-503,hints'),
    posted: await get('ok', { method: 'POST', body: 'text' }),
    form: posted.includes('form-data; name="a"'),
    cookies: cookies.headers.getSetCookie(),
    aborted: await failure(get('hang', { signal: controller.signal })),
    hung: await failure(get('hang')),
    broken: await failure(get('reset-body')),
    retries: target.status().counts.retries - retries,
  };
  await target.force('open');
  Object.assign(told[way] as object, { refused: await failure(get('ok')) });
  await target.force('closed');
  await target.force(null);
}
console.log(JSON.stringify(told));
await server.close();
process.exit();
