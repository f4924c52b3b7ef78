// The load: an open loop, so that a slow service does not get fewer requests. Both services get the same ones.
import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';
import { type Sample, VARIANTS, type Variant } from '../messages.ts';
import { seeded } from '../random.ts';
import { PATIENCE_MS, PRODUCT_SHARE, RATE, SEED, WARM_UP_MS } from '../settings.ts';
import { listen, report } from './child.ts';

const LOOK_EVERY_MS = 5;
const TELL_EVERY_MS = 100;

const agent = new Agent({ keepAlive: true });
const random = seeded(SEED);
let samples: Sample[] = [];

function run(urls: Readonly<Record<Variant, string>>, forMs: number): void {
  const began = performance.now() + WARM_UP_MS;
  let due = -WARM_UP_MS;
  const looking = setInterval(() => {
    const now = performance.now() - began;
    for (; due <= Math.min(now, forMs); due += nextGapMs()) {
      const route = random() < PRODUCT_SHARE ? 'product' : 'checkout';
      const id = Math.floor(random() * 1_000);
      for (const variant of VARIANTS) ask(urls[variant], variant, route, id, began, due);
    }
    if (now > forMs + PATIENCE_MS + 500) finish();
  }, LOOK_EVERY_MS);
  const telling = setInterval(flush, TELL_EVERY_MS);
  function finish(): void {
    clearInterval(looking);
    clearInterval(telling);
    flush();
    report({ type: 'done' });
  }
}

/** Random gaps, as the sum of many users has them. */
function nextGapMs(): number {
  return (-Math.log(1 - random()) * 1_000) / RATE;
}

function ask(
  url: string,
  variant: Variant,
  route: Sample['route'],
  id: number,
  began: number,
  at: number,
): void {
  let ended = false;
  const end = (verdict: Sample['verdict']) => {
    if (ended) return;
    ended = true;
    clearTimeout(patience);
    if (at < 0) return;
    samples.push({ variant, route, at, ms: performance.now() - began - at, verdict });
  };
  const path = route === 'product' ? `/products/${id}` : `/products/${id}/buy`;
  const req = request(url + path, { agent, method: route === 'product' ? 'GET' : 'POST' }, (res) => {
    let body = '';
    res.setEncoding('utf8');
    res.on('data', (chunk) => {
      body += chunk;
    });
    res.on('error', () => end('error'));
    res.on('end', () => {
      if (res.statusCode !== 200) end('error');
      else end('degraded' in JSON.parse(body) ? 'degraded' : 'full');
    });
  });
  // An answer that is here already, and only this process was too busy to read, is in time.
  const patience = setTimeout(() => setImmediate(giveUp), PATIENCE_MS);
  function giveUp(): void {
    end('late');
    req.destroy();
  }
  req.on('error', () => end('error'));
  req.end();
}

function flush(): void {
  if (samples.length > 0) report({ type: 'samples', samples });
  samples = [];
}

listen((order) => {
  if (order.type === 'load') run(order.urls, order.forMs);
});
report({ type: 'ready', url: '' });
