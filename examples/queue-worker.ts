// A worker that waits while what it needs is down, instead of failing its jobs.
//   node examples/queue-worker.ts
import { createHealing } from '@healix/core';
import { startWeather } from './support/weather.ts';

const JOBS = 60;
const WORKERS = 3;

const weather = await startWeather();
const runtime = createHealing({
  targets: {
    'upstream:weather': { timeoutMs: 500, circuit: { openMs: 300, windowCalls: 10, minimumCalls: 10 } },
  },
});
const target = runtime.target('upstream:weather');

const queue = Array.from({ length: JOBS }, (_, n) => `city-${n}`);
const stop = new AbortController();
let done = 0;
let putBack = 0;

async function work(): Promise<void> {
  while (!stop.signal.aborted) {
    // Resolves once a call will be admitted: at once while all is well.
    await target.ready({ signal: stop.signal });
    const city = queue.shift();
    if (city === undefined) return;
    target.record('queue-depth', queue.length);
    try {
      await target.run(({ signal }) => lookUp(city, signal));
      done++;
      if (done === JOBS / 3) await breakForASecond();
    } catch {
      queue.push(city);
      putBack++;
    }
  }
}

async function lookUp(city: string, signal: AbortSignal): Promise<void> {
  const res = await fetch(`${weather}/${city}`, { signal });
  if (!res.ok) throw new Error(`the weather service answered ${res.status}`);
  await res.json();
}

async function breakForASecond(): Promise<void> {
  console.log('the weather service breaks');
  await fetch(`${weather}/break`, { method: 'POST' });
  setTimeout(() => fetch(`${weather}/mend`, { method: 'POST' }), 1_000);
}

process.once('SIGTERM', () => stop.abort(new Error('told to stop')));
runtime.on('transition', ({ from, to, reason }) => console.log(`circuit: ${from} -> ${to} (${reason})`));

await Promise.all(Array.from({ length: WORKERS }, work));
console.log(`${done} of ${JOBS} jobs done, ${putBack} tries were put back`);
await runtime.close();
