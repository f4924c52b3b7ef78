// An upstream of four hosts, one of which breaks: healix sends calls past it, and takes it back.
//   node examples/hosts.ts
import { setTimeout as sleep } from 'node:timers/promises';
import { createHealing } from '@healix/core';
import { startWeather } from './support/weather.ts';

const hosts = await Promise.all([1, 2, 3, 4].map(() => startWeather()));
const runtime = createHealing({ targets: { 'upstream:weather': { hosts, outlier: { ejectMs: 300 } } } });
const nameOf = (host: string | undefined) => `host ${hosts.indexOf(host ?? '') + 1}`;
runtime.on('host', ({ host, what, reason }) => console.log(`${nameOf(host)}: ${what} (${reason})`));

const target = runtime.target('upstream:weather');
let good = 0;
let asked = 0;

async function ask(): Promise<void> {
  asked++;
  const res = await target.run(({ host, signal }) => fetch(`${host}/lisbon`, { signal }), {
    idempotent: true,
  });
  await res.body?.cancel();
  if (res.ok) good++;
}

/** Calls that come whether or not the ones before have an answer. */
async function askFor(ms: number): Promise<void> {
  const calls: Promise<void>[] = [];
  for (const end = performance.now() + ms; performance.now() < end; await sleep(5)) calls.push(ask());
  await Promise.all(calls);
}

await askFor(500);
await fetch(`${hosts[0]}/break`, { method: 'POST' });
await askFor(1_500);
await fetch(`${hosts[0]}/mend`, { method: 'POST' });
while (target.status().hosts?.some(({ state }) => state !== 'in-use')) await askFor(200);

for (const { host, counts } of target.status().hosts ?? []) {
  console.log(`${nameOf(host)}: ${counts.success} good, ${counts.failure} failed`);
}
console.log(`${good} of ${asked} answers were good`);
await runtime.close();
