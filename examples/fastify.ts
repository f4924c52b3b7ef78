// A Fastify service that heals itself and what it calls.
//   node examples/fastify.ts
import { setTimeout as sleep } from 'node:timers/promises';
import { createHealing } from '@healix/core';
import { healing, healthEndpoint } from '@healix/fastify';
import Fastify from 'fastify';
import { startWeather } from './support/weather.ts';

const weather = await startWeather();

const runtime = createHealing({
  targets: {
    'upstream:weather': { timeoutMs: 500, circuit: { openMs: 500 } },
  },
});
const app = Fastify();
await app.register(healing, { runtime });
await app.register(healthEndpoint, { runtime, prefix: '/health' });

// What is called has a target of its own. When it fails, the fallback answers, and after a few failures the
// weather service is not asked any more until it is well again.
app.get<{ Params: { city: string } }>('/weather/:city', async ({ params: { city } }) =>
  runtime.target('upstream:weather').run(
    async ({ signal }) => {
      const res = await fetch(`${weather}/${city}`, { signal });
      if (!res.ok) throw new Error(`the weather service answered ${res.status}`);
      return (await res.json()) as { city: string; celsius: number | null };
    },
    { idempotent: true, fallback: () => ({ city, celsius: null }) },
  ),
);

// Settings of one route: its clients get a 504 after 200 ms, and `request.healing.signal` aborts the work.
app.get<{ Querystring: { ms: number } }>(
  '/report',
  { config: { healing: { deadlineMs: 200 } } },
  async (request) => {
    await sleep(Number(request.query.ms), undefined, { signal: request.healing.signal });
    return { report: 'done' };
  },
);

// Every route is healed without a word: when most of its answers are 5xx, it refuses for a while.
app.get('/broken', async () => {
  throw new Error('always');
});

const url = await app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' });
process.once('SIGTERM', async () => {
  await runtime.close({ drainMs: 5_000 });
  await app.close();
});

console.log(`listening on ${url}, weather service on ${weather}`);
