// A Koa service that heals itself and what it calls.
//   node examples/koa.ts
import { createHealing } from '@healix/core';
import { heal, healing, healthEndpoint } from '@healix/koa';
import Router from '@koa/router';
import Koa from 'koa';
import { startWeather } from './support/weather.ts';

const weather = await startWeather();

const runtime = createHealing({
  targets: { 'upstream:weather': { timeoutMs: 500, circuit: { openMs: 500 } } },
});
const app = new Koa();
const router = new Router();

// A wrapped function has the same arguments and the same result.
const weatherIn = runtime.wrap(
  'upstream:weather',
  async (city: string) => {
    const res = await fetch(`${weather}/${city}`);
    if (!res.ok) throw new Error(`the weather service answered ${res.status}`);
    return (await res.json()) as { city: string; celsius: number };
  },
  { idempotent: true },
);

// Without a fallback the error is the handler's: the client gets a 500, then, once the circuits are open, a 503
// at once that says when to try again.
router.get('/weather/:city', async (ctx) => {
  ctx.body = await weatherIn(ctx.params.city as string);
});

// Settings of one route: at most ten of these at once.
router.post('/upload', heal({ policy: { concurrency: 10 } }), async (ctx) => {
  ctx.body = { received: true };
});

app.silent = true;
app.use(healthEndpoint({ runtime, path: '/health' }));
app.use(healing(runtime));
app.use(router.routes());

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`listening on http://127.0.0.1:${port}, weather service on ${weather}`);
});

process.once('SIGTERM', async () => {
  await runtime.close({ drainMs: 5_000 });
  server.close();
});
