// Healing of what is called with fetch or undici.
//   node examples/undici.ts
import { createHealing, isHealixError } from '@healix/core';
import { healingDispatcher, healingFetch } from '@healix/undici';
import { getGlobalDispatcher, request, setGlobalDispatcher } from 'undici';
import { startWeather } from './support/weather.ts';

const weather = await startWeather();
const runtime = createHealing({
  targets: {
    'upstream:weather': { circuit: { openMs: 500, rampMs: 0 }, retry: { maxRetries: 1 } },
  },
});
runtime.on('transition', ({ target, from, to, reason }) =>
  console.log(`${target}: ${from} -> ${to} (${reason})`),
);

// Without a key the target would be `upstream:http://127.0.0.1:PORT`.
const options = { key: ({ origin }: { origin?: unknown }) => (origin === weather ? 'weather' : undefined) };

// From here on the global fetch is healed, and all that undici sends without a dispatcher of its own.
setGlobalDispatcher(healingDispatcher(getGlobalDispatcher(), options));

// A fetch of its own throws healix's errors as they are. Over a healed dispatcher it still heals only once.
const healedFetch = healingFetch(fetch, options);

async function withFetch(): Promise<number> {
  const res = await fetch(`${weather}/lisbon`);
  await res.json();
  return res.status;
}

async function withRequest(): Promise<number> {
  const { statusCode, body } = await request(`${weather}/lisbon`, { healing: { timeoutMs: 500 } });
  await body.json();
  return statusCode;
}

async function withHealedFetch(): Promise<number> {
  const res = await healedFetch(`${weather}/lisbon`);
  await res.json();
  return res.status;
}

async function ask(times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    for (const call of [withFetch, withRequest, withHealedFetch]) {
      const answer = await call().catch((error) =>
        isHealixError(error, 'HEALIX_CIRCUIT_OPEN') ? `${error.name}, the circuit is open` : error.message,
      );
      console.log(`${call.name}: ${answer}`);
    }
  }
}

/** Past healing, or an open circuit would refuse this too. */
async function tellWeather(what: 'break' | 'mend'): Promise<void> {
  const { body } = await request(`${weather}/${what}`, { method: 'POST', healing: false });
  await body.dump();
}

await ask(1);
await tellWeather('break');
await ask(3);
await tellWeather('mend');
await runtime.target('upstream:weather').ready();
await ask(1);

const { counts } = runtime.target('upstream:weather').status();
console.log(
  `${counts.success} good, ${counts.failure} failed, ${counts.refused} refused, ${counts.retries} repeated`,
);
await runtime.close();
