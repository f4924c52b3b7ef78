// Healing of any function, without a framework.
//   node examples/plain-function.ts
import { createHealing, isHealixError } from '@healix/core';
import { startWeather } from './support/weather.ts';

const weather = await startWeather();
const runtime = createHealing({
  targets: { 'upstream:weather': { circuit: { openMs: 300, rampMs: 0 }, retry: { maxRetries: 1 } } },
});
runtime.on('transition', ({ target, from, to, reason }) =>
  console.log(`${target}: ${from} -> ${to} (${reason})`),
);

const weatherIn = runtime.wrap(
  'upstream:weather',
  async (city: string) => {
    const res = await fetch(`${weather}/${city}`);
    if (!res.ok) throw new Error(`the weather service answered ${res.status}`);
    return (await res.json()) as { celsius: number };
  },
  { idempotent: true },
);

async function ask(times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    try {
      console.log(`${(await weatherIn('Lisbon')).celsius} degrees`);
    } catch (error) {
      if (isHealixError(error, 'HEALIX_CIRCUIT_OPEN')) console.log('refused at once: the circuit is open');
      else console.log((error as Error).message);
    }
  }
}

await ask(2);
await fetch(`${weather}/break`, { method: 'POST' });
await ask(8);
await fetch(`${weather}/mend`, { method: 'POST' });
await runtime.target('upstream:weather').ready();
await ask(3);

const { counts } = runtime.target('upstream:weather').status();
console.log(
  `${counts.success} good, ${counts.failure} failed, ${counts.refused} refused, ${counts.retries} repeated`,
);
await runtime.close();
