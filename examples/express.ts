// An Express service that heals itself and what it calls.
//   node examples/express.ts
import { setTimeout as sleep } from 'node:timers/promises';
import { createHealing, isHealixError } from '@healix/core';
import { heal, healing, healthEndpoint } from '@healix/express';
import express, { type ErrorRequestHandler } from 'express';
import { startWeather } from './support/weather.ts';

const weather = await startWeather();

const runtime = createHealing({
  targets: { 'upstream:weather': { timeoutMs: 500, circuit: { openMs: 500 } } },
});
const app = express();

// Healing stands before the body parsers: what is refused is not even read.
app.use('/health', healthEndpoint({ runtime }));
app.use(healing(runtime));
app.use(express.json());

// The target of this route is `route:GET /weather/:city`, however many cities are asked for.
const cities = express.Router();
cities.get('/:city', async (req, res) => {
  const { city } = req.params;
  const found = await runtime.target('upstream:weather').run(
    async ({ signal }) => {
      const answer = await fetch(`${weather}/${city}`, { signal });
      if (!answer.ok) throw new Error(`the weather service answered ${answer.status}`);
      return (await answer.json()) as { city: string; celsius: number | null };
    },
    { idempotent: true, fallback: () => ({ city, celsius: null }) },
  );
  res.json(found);
});
app.use('/weather', cities);

// Settings of one route: after 200 ms `req.healing.signal` aborts the work.
app.post('/report', heal({ deadlineMs: 200 }), async (req, res) => {
  await sleep(Number(req.body.ms), undefined, { signal: req.healing.signal });
  res.json({ report: 'done' });
});

// Every route is healed without a word: when most of its answers are 5xx, it refuses for a while.
app.get('/broken', () => {
  throw new Error('always');
});

// In Express the handler answers for itself when its time is over.
const answerError: ErrorRequestHandler = (error, _req, res, next) => {
  if (res.headersSent) next(error);
  else res.status(isHealixError(error, 'HEALIX_DEADLINE') ? 504 : 500).json({ error: error.message });
};
app.use(answerError);

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`listening on http://127.0.0.1:${port}, weather service on ${weather}`);
});

process.once('SIGTERM', async () => {
  await runtime.close({ drainMs: 5_000 });
  server.close();
});
